import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const hourMs = 3_600_000
const awayMs = 2_500

/** The wall clock of every process jumps, and back. */
export const clockFaults: readonly Fault[] = [
  {
    name: 'the clock jumps an hour ahead, and back',
    of: [22],
    inject: ({ control }) => jump(control, hourMs),
  },
  {
    name: 'the clock jumps an hour back, and ahead again',
    of: [22],
    inject: ({ control }) => jump(control, -hourMs),
  },
]

async function jump(control: { shiftClock(offsetMs: number): void }, byMs: number): Promise<number> {
  control.shiftClock(byMs)
  await sleep(awayMs)
  control.shiftClock(0)
  return 1
}

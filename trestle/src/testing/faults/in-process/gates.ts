import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededDraws } from '../../load/seeded-draws.ts'
import type { Control } from '../control.ts'

declare global {
  /**
   * What a source change puts where a fault is to happen: `await trestleGate('late commit')`. Waits, throws or, with the
   * answer `true`, says that the fault is on.
   */
  var trestleGate: (name: string) => boolean | Promise<true>
}

/** Gives the code under test the function that its changes call. */
export function openGates(directory: string, current: () => Control): void {
  const draws = seededDraws(current().seed).fork(`gates ${process.pid}`)
  const file = join(directory, 'gates.txt')
  globalThis.trestleGate = (name) => {
    const gate = current().gates[name]
    if (gate === undefined || draws.fraction() >= gate.probability) return false
    appendFileSync(file, `${name}\n`)
    if (gate.error !== undefined) throw new Error(gate.error)
    if (gate.delayMaxMs === undefined) return true
    const delayMs = draws.fraction() * gate.delayMaxMs
    return new Promise((resolve) => setTimeout(() => resolve(true), delayMs))
  }
}

import type { WaitingJob } from './job-rows.ts'
import type { Schedule } from './schedule.ts'

/** How far the clocks of two replicas may be apart without any being taken for one that was put back, milliseconds. */
const skewMs = 5_000

/** How long a job can have been told to wait. */
export interface LongestWaits {
  readonly nowMs: number
  readonly leaseMs: number
}

/** How long a run that failed may wait. No longer than a tick of the same job would: who is to run often is up again soon. */
export function retryBackoff({ everyMs = Infinity }: Pick<Schedule, 'everyMs'>) {
  return { baseMs: 1_000, maxMs: Math.min(300_000, Math.max(5_000, everyMs)) }
}

/**
 * The times of a job that lie further in the future than anybody can have set them, pulled in to what they may be; with
 * `undefined` there are none. The clock was put back since they were written, and nobody is to wait until it is there
 * again. Ticks of the calendar stay where they are.
 */
export function pulledIn(
  row: WaitingJob,
  schedule: Pick<Schedule, 'everyMs'>,
  waits: LongestWaits,
): WaitingJob | undefined {
  const { nowMs, leaseMs } = waits
  const { baseMs, maxMs } = retryBackoff(schedule)
  const retryMs = Math.min(maxMs, baseMs * 2 ** Math.max(0, row.tries - 1))
  // A tick that was begun keeps its time.
  const everyMs = row.tries === 0 ? schedule.everyMs : undefined
  const due = everyMs === undefined ? undefined : earlierTick(row.due_at, nowMs, everyMs)
  const retry = earlier(row.retry_at, nowMs, retryMs)
  const lease = earlier(row.lease_until, nowMs, leaseMs)
  if (due === undefined && retry === undefined && lease === undefined) return undefined
  return { ...row, due_at: due ?? row.due_at, retry_at: retry ?? row.retry_at, lease_until: lease ?? row.lease_until }
}

/** The tick of an interval that is due next at the latest; `undefined`: the one that was planned comes in time. */
export function nextEvery(tickMs: number, nowMs: number, everyMs: number): number | undefined {
  if (tickMs <= nowMs + everyMs + skewMs) return undefined
  const nextMs = nowMs + everyMs
  // Not one of those before: what was done at a tick has its keys, under which nothing is done again.
  return (tickMs - nextMs) % everyMs === 0 ? nextMs - 1 : nextMs
}

function earlierTick(time: Date | null, nowMs: number, everyMs: number): Date | undefined {
  const tickMs = time === null ? undefined : nextEvery(time.getTime(), nowMs, everyMs)
  return tickMs === undefined ? undefined : new Date(tickMs)
}

function earlier(time: Date | null, nowMs: number, longestMs: number): Date | undefined {
  return time !== null && time.getTime() > nowMs + longestMs + skewMs ? new Date(nowMs + longestMs) : undefined
}

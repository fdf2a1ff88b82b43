import type { Client } from '../../call/client.ts'
import type { Duration } from '../../std/duration.ts'
import type { StartArgs, Uses } from '../service.ts'
import { atSchedule, type CronOptions, cronSchedule, everySchedule, type Schedule } from './schedule.ts'

/**
 * What becomes of ticks at which nobody could run the job, because the service was down or the run before took too long.
 * `once` (default): one run for all of them. `skip`: none; the next tick counts. `all`: one run each, in order.
 */
export type MissedTicks = 'once' | 'skip' | 'all'

/** How a job goes about its ticks. */
export interface JobOptions {
  readonly missed?: MissedTicks
}

/** What a job may use: it calls in its service's own name, not in a user's. */
export interface JobArgs<U extends Uses = Uses, Tables = unknown> extends StartArgs<Tables> {
  readonly call: { readonly [K in keyof U]: Client<U[K], 'derived'> }
  /** When this run was due, milliseconds since 1970. */
  readonly tick: number
  /** The same whenever this tick is run again. */
  readonly key: string
}

/** `again`: there is more to do; the next run comes at once. */
export type JobResult = 'again' | void

/** Work that is done at given times, once per time over all replicas. Made by `impl.every`, `impl.at`, `impl.cron`. */
export interface Job<U extends Uses = Uses, Tables = unknown> {
  /** Unique within the service and the same for ever: what has been done is noted under it. */
  readonly name: string
  readonly schedule: Schedule
  readonly missed: MissedTicks
  readonly run: (args: JobArgs<U, Tables>) => Promise<JobResult>
}

type Run = Job['run']

/** What `impl.every` makes. @throws RangeError */
export function everyJob(interval: Duration, name: string, run: Run, options: JobOptions = {}): Job {
  return define(everySchedule(interval), name, run, options)
}

/** What `impl.at` makes. @throws RangeError */
export function atJob(time: Date | string, name: string, run: Run): Job {
  return define(atSchedule(time), name, run, {})
}

/** What `impl.cron` makes. @throws RangeError */
export function cronJob(expression: string, name: string, run: Run, options: JobOptions & CronOptions = {}): Job {
  return define(cronSchedule(expression, options), name, run, options)
}

function define(schedule: Schedule, name: string, run: Run, { missed = 'once' }: JobOptions): Job {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
    throw new RangeError(`the job's name '${name}' must be lower case letters, digits and hyphens, at most 64`)
  }
  return { name, schedule, missed, run }
}

/** What one run needs to know, whoever starts it. */
export interface JobRun {
  readonly tick: number
  readonly key: string
  readonly signal: AbortSignal
}

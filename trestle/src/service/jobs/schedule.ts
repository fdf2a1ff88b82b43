import { Cron } from 'croner'
import { type Duration, durationMs } from '../../std/duration.ts'

/** When a job runs: its ticks, each a time in milliseconds since 1970. Plain data but for `next`. */
export interface Schedule {
  /** As it was written; a job whose text has changed begins anew. */
  readonly text: string
  /** The first tick when the job is first seen at `nowMs`; `undefined`: there is none. */
  first(nowMs: number): number | undefined
  /** The first tick after `afterMs` when one at `tickMs` is over; `undefined`: there is none. */
  next(tickMs: number, afterMs: number): number | undefined
  /** The next tick is no further away than this, milliseconds; `undefined`: ticks are times of the calendar. */
  readonly everyMs?: number
}

/** How a cron expression is read. */
export interface CronOptions {
  /** Of the IANA database, such as `Europe/Berlin`; default UTC. */
  readonly timeZone?: string
}

/** Ticks one interval apart, the first one interval after the job was first seen. @throws RangeError */
export function everySchedule(interval: Duration): Schedule {
  const everyMs = durationMs(interval)
  return {
    text: `every ${interval}`,
    everyMs,
    first: (nowMs) => nowMs + everyMs,
    next: (tickMs, afterMs) => tickMs + Math.max(1, Math.floor((afterMs - tickMs) / everyMs) + 1) * everyMs,
  }
}

/** One tick. @throws RangeError for what is no time */
export function atSchedule(time: Date | string): Schedule {
  const atMs = typeof time === 'string' ? Date.parse(time) : time.getTime()
  const zoned = typeof time !== 'string' || /(?:Z|[+-]\d\d:\d\d)$/.test(time)
  if (!Number.isFinite(atMs) || !zoned) {
    throw new RangeError(`'${String(time)}' is not a time with its zone, such as '2027-01-01T00:00:00Z'`)
  }
  return {
    text: `at ${new Date(atMs).toISOString()}`,
    // Also when it has passed by then.
    first: () => atMs,
    // One that an operator asked for may be before it, or behind it as the one of a run that had more to do.
    next: (tickMs) => (tickMs < atMs ? atMs : undefined),
  }
}

/**
 * The ticks of a cron expression of five fields, or six with seconds. Local times that a change of the clocks leaves
 * out come right after it, as one tick; one that comes twice is one tick. With `*` or `/` in its seconds, minutes or hours
 * an expression means what comes again and again: no tick for what is left out, two for what comes twice. Source: `croner`.
 * @throws RangeError for what is no expression, no time zone, or has no tick
 */
export function cronSchedule(expression: string, { timeZone = 'UTC' }: CronOptions = {}): Schedule {
  const cron = parsed(expression, timeZone)
  const after = (ms: number) => cron.nextRun(new Date(ms))?.getTime()
  return {
    text: `cron ${expression} ${timeZone}`,
    first: after,
    next: (_, afterMs) => after(afterMs),
  }
}

function parsed(expression: string, timeZone: string): Cron {
  try {
    const cron = new Cron(expression, { timezone: timeZone, fixedTimeRule: 'no-wildcard' })
    cron.nextRun(new Date(0))
    return cron
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RangeError(`'${expression}' in the time zone ${timeZone} is no cron expression: ${why}`, { cause })
  }
}

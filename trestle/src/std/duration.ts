const unitMs = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
} as const

type Unit = keyof typeof unitMs

/** A length of time as people write it: `15 minutes`, `1 hour`, `2.5 seconds`. */
export type Duration = `${number} ${Unit | `${Unit}s`}`

/** Longest time that one timer of the runtime can wait: 2^31 - 1 milliseconds, almost 25 days. */
const longestMs = 2_147_483_647

/**
 * Milliseconds of a duration.
 * @throws RangeError when it is not of the form above, is shorter than a millisecond, or longer than a timer can wait
 */
export function durationMs(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?) (millisecond|second|minute|hour|day)s?$/.exec(duration)
  if (match === null) throw new RangeError(`'${duration}' is not a duration such as '15 minutes' or '1 hour'`)
  const ms = Number(match[1]) * unitMs[match[2] as Unit]
  if (ms < 1 || ms > longestMs) throw new RangeError(`'${duration}' is not between 1 millisecond and 24 days`)
  return ms
}

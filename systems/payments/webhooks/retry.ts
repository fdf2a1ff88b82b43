import { createHash } from 'node:crypto'

/** Tries of one delivery: within about three days. */
export const triesMax = 25
const baseMs = 1_000
const longestMs = 6 * 3_600_000

/**
 * How long to wait after so many tries of a delivery, milliseconds: doubled each time, and up to half of it shorter, so
 * that what failed together does not come back together. The same delivery always waits the same.
 */
export function waitMs(deliveryId: string, tries: number): number {
  const longest = longestWaitMs(tries)
  const drawn = createHash('sha256').update(`${deliveryId}|${tries}`).digest().readUInt32BE() / 2 ** 32
  return Math.ceil(longest * (1 - drawn / 2))
}

/** No delivery waits longer after so many tries, milliseconds. */
export function longestWaitMs(tries: number): number {
  return tries === 0 ? 0 : Math.min(longestMs, baseMs * 2 ** (tries - 1))
}

import { type Clock, systemClock } from '../../std/clock.ts'
import type { Invariant, InvariantReport } from './invariant.ts'
import { WatchedInvariant } from './watched-invariant.ts'

/** How invariants are watched. */
export interface CheckOptions {
  readonly invariants: readonly Invariant[]
  /** Resolves when the load has ended and every fault has healed. */
  readonly healed: Promise<void>
  /** Between two looks at those that must always hold, milliseconds; default 1,000. */
  readonly sampleEveryMs?: number
  /** From healing until those that must hold eventually do, milliseconds; default 60,000. */
  readonly settleWithinMs?: number
  /** Between two looks while they settle; default 500. */
  readonly settleEveryMs?: number
  readonly clock?: Clock
}

/**
 * Watches a system: what must always hold is looked at again and again, what must hold eventually after healing, until it
 * does or the time is over; then everything is looked at once more. One that saw nothing, or has no answer in the end,
 * does not hold.
 * @example const report = await checkInvariants({ invariants, healed })
 */
export async function checkInvariants(options: CheckOptions): Promise<InvariantReport> {
  const { clock = systemClock, sampleEveryMs = 1_000, settleEveryMs = 500, settleWithinMs = 60_000 } = options
  const watched = options.invariants.map((invariant) => new WatchedInvariant(invariant))
  const always = watched.filter(({ invariant }) => invariant.kind === 'always')
  const healing = options.healed.then(() => true)
  do await lookAll(always)
  while (!(await Promise.race([healing, sleep(clock, sampleEveryMs)])))
  const began = clock.monotonic()
  let settledMs: number | undefined
  while (settledMs === undefined && clock.monotonic() - began < settleWithinMs) {
    await lookAll(watched)
    if (watched.every((each) => each.settled())) settledMs = Math.round(clock.monotonic() - began)
    else await sleep(clock, settleEveryMs)
  }
  // What has settled must stay so.
  await lookAll(watched)
  const results = watched.map((each) => each.result())
  return { holds: results.length > 0 && results.every(({ fault }) => fault === undefined), results, settledMs }
}

async function lookAll(watched: readonly WatchedInvariant[]): Promise<void> {
  await Promise.all(watched.map((each) => each.look()))
}

function sleep(clock: Clock, ms: number): Promise<false> {
  return new Promise((resolve) => clock.setTimeout(() => resolve(false), ms))
}

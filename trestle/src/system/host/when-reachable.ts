import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'

/** How a database that is away is waited for. */
export interface WhenReachable {
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly signal: AbortSignal
  /** Told before each wait: a start in which nothing happens counts as failed. */
  readonly waiting: () => void
  /** Default 60,000. */
  readonly timeoutMs?: number
}

const pauses = { baseMs: 200, maxMs: 2_000 }

/**
 * Does what needs the database, and again while that cannot be reached: it may be starting, or recovering. A process that
 * ended instead would use up its restarts, and stay down when the database is back.
 * @throws what `work` throws when it is something else, or the time is over
 */
export async function whenReachable<T>(work: () => Promise<T>, options: WhenReachable): Promise<T> {
  const { clock, random, signal, waiting, timeoutMs = 60_000 } = options
  const until = clock.monotonic() + timeoutMs
  for (let tries = 0; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== 'unavailable') throw error
      const waitMs = 20 + backoffMs(tries, { ...pauses, random })
      if (signal.aborted || clock.monotonic() + waitMs > until) throw error
      waiting()
      await new Promise<void>((resolve) => clock.setTimeout(resolve, waitMs))
    }
  }
}

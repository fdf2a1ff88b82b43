import { backoffMs } from '../../std/backoff.ts'
import type { Timer } from '../../std/clock.ts'
import { transactionScope } from '../../std/transaction-scope.ts'
import type { ConcurrencyLimiter } from '../../std/concurrency-limiter.ts'
import type { Handled } from './handled.ts'
import { about, type Subscription } from './subscription.ts'

/** Handles what waits in the inbox of one subscription, several keys at once. */
export class Workers {
  readonly #subscription: Subscription
  readonly #handle: (onClaimed: () => void) => Promise<Handled>
  readonly #limiter: ConcurrencyLimiter
  readonly #onHandled: (count: number) => void
  readonly #running = new Set<Promise<void>>()
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined
  #wanted = false
  #failures = 0

  constructor(
    subscription: Subscription,
    handle: (onClaimed: () => void) => Promise<Handled>,
    limiter: ConcurrencyLimiter,
    onHandled: (count: number) => void,
  ) {
    this.#subscription = subscription
    this.#handle = handle
    this.#limiter = limiter
    this.#onHandled = onHandled
  }

  get running(): number {
    return this.#running.size
  }

  /** There may be something to do. */
  wake(): void {
    this.#wanted = true
    if (this.#running.size < this.#subscription.definition.concurrencyMax) this.#begin()
  }

  /** No new event is begun; resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#timer?.timer.cancel()
    await Promise.all(this.#running)
  }

  #begin(): void {
    if (this.#subscription.stopping.signal.aborted) return
    const done = transactionScope
      .outside(() => this.#work())
      .finally(() => {
        this.#running.delete(done)
        // Woken while the last look found nothing: what it missed must not wait for the next poll.
        if (this.#wanted && this.#running.size === 0) this.#begin()
      })
    this.#running.add(done)
  }

  async #work(): Promise<void> {
    const { stopping } = this.#subscription
    while (!stopping.signal.aborted) {
      this.#wanted = false
      const handled = await this.#next()
      if (handled === undefined || handled.kind === 'nothing') return
      if (handled.kind === 'handled') this.#onHandled(handled.count)
      if (handled.kind === 'failed' && handled.waitMs > 0) this.#wakeIn(handled.waitMs)
      if (handled.kind === 'away') {
        this.#wakeIn(handled.waitMs)
        return
      }
    }
  }

  async #next(): Promise<Handled | undefined> {
    const { stopping } = this.#subscription
    if (!this.#limiter.tryEnter() && !(await this.#limiter.wait(stopping.signal))) return undefined
    try {
      // Where one was, there may be more: another worker looks while this one handles.
      const handled = await this.#handle(() => this.wake())
      this.#failures = 0
      return handled
    } catch (error) {
      return this.#away(error)
    } finally {
      this.#limiter.leave()
    }
  }

  /** The database did not answer: nothing is known of any event. */
  #away(error: unknown): Handled {
    const { deps, limits, seldom } = this.#subscription
    const unsaid = seldom.again('store')
    if (unsaid !== undefined) {
      deps.log.warn({ ...about(this.#subscription), unsaid, err: error }, 'the inbox cannot be read; trying again')
    }
    const bounds = { baseMs: limits.retryBaseMs, maxMs: Math.min(limits.retryMaxMs, 5_000), random: deps.random }
    return { kind: 'away', waitMs: backoffMs(this.#failures++, bounds) }
  }

  /** The earliest wish counts; what is due later is found by the poll, or by the timer after this one. */
  #wakeIn(ms: number): void {
    const { clock } = this.#subscription.deps
    const atMs = clock.monotonic() + ms
    if (this.#subscription.stopping.signal.aborted || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return
    this.#timer?.timer.cancel()
    const timer = clock.setTimeout(() => {
      this.#timer = undefined
      this.wake()
    }, ms)
    this.#timer = { atMs, timer }
  }
}

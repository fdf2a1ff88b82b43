import type { Timer } from '../../std/clock.ts'
import { Seldom } from '../../std/seldom.ts'
import { sweepGenerations, sweepHandled, sweepKeys, type SweepPlace } from '../../store/inbox/sweep.ts'
import type { SubscriptionDeps, SubscriptionLimits } from './deps.ts'
import type { Subscription } from './subscription.ts'

/** A database that is away for long is not a line each time. */
const sayAgainMs = 10 * 60_000

/** Forgets what need not be remembered any more, a bounded number of rows at a time. Replicas do not wait for each other. */
export class Sweeper {
  readonly #subscriptions: readonly Subscription[]
  readonly #deps: SubscriptionDeps
  readonly #limits: SubscriptionLimits
  readonly #failed: Seldom
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()
  /** Subscription -> the generation before which nothing is left: finding nothing reads everything. */
  readonly #cleanBefore = new Map<number, number>()
  /** How far the walks have come. */
  #events: SweepPlace | undefined
  #keys: SweepPlace | undefined
  #stopped = false

  constructor(subscriptions: readonly Subscription[], deps: SubscriptionDeps, limits: SubscriptionLimits) {
    this.#subscriptions = subscriptions
    this.#deps = deps
    this.#limits = limits
    this.#failed = new Seldom(deps.clock, sayAgainMs)
  }

  start(): void {
    this.#plan(this.#limits.sweepMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  /** One step of each walk; resolves to whether the next one should come soon. */
  async sweep(): Promise<boolean> {
    const { store, clock } = this.#deps
    const { sweepMax: max, memoryMs } = this.#limits
    const events = await sweepHandled(store.db, { after: this.#events, max, memoryMs, nowMs: clock.now() })
    this.#events = events.next
    let isMore = events.next !== undefined
    if (this.#subscriptions.every(({ base }) => base === 'first-seen')) {
      const keys = await sweepKeys(store.db, { after: this.#keys, max, memoryMs })
      this.#keys = keys.next
      // Most keys are young: a walk that finds nothing takes its time.
      isMore ||= keys.gone > 0 && keys.next !== undefined
    }
    for (const { row } of this.#subscriptions) {
      if (await this.#sweepBefore(row)) isMore = true
    }
    return isMore
  }

  /** What was handled before the last replay. */
  async #sweepBefore(row: Subscription['row']): Promise<boolean> {
    if (row.generation === (this.#cleanBefore.get(row.id) ?? 1)) return false
    const gone = await sweepGenerations(this.#deps.store.db, row, this.#limits.sweepMax)
    if (gone === 0) this.#cleanBefore.set(row.id, row.generation)
    return gone > 0
  }

  #plan(ms: number): void {
    if (this.#stopped) return
    const { clock, random } = this.#deps
    this.#timer = clock.setTimeout(
      () => {
        this.#running = this.sweep().then(
          (isMore) => this.#plan(isMore ? 1_000 : this.#limits.sweepMs),
          (error: unknown) => {
            this.#say(error)
            this.#plan(this.#limits.sweepMs)
          },
        )
      },
      ms * (0.5 + random()),
    )
  }

  /** What is swept later is not missed; what is never swept fills the disk. */
  #say(error: unknown): void {
    if (this.#stopped) return
    const unsaid = this.#failed.again('failed')
    if (unsaid === undefined) return
    this.#deps.log.warn(
      { unsaid, err: error },
      'what need not be remembered of events could not be deleted; trying again',
    )
  }
}

import type { Timer } from '../../std/clock.ts'
import { Seldom } from '../../std/seldom.ts'
import {
  noteSwept,
  type Unswept,
  sweepHandled,
  sweepKeys,
  type SweepPlace,
  type SweepStep,
  unswept,
} from '../../store/inbox/sweep.ts'
import type { SubscriptionDeps, SubscriptionLimits } from './deps.ts'
import type { Subscription } from './subscription.ts'

/** A database that is away for long is not a line each time. */
const sayAgainMs = 10 * 60_000

/** How far a walk over a table has come. */
interface Walk {
  readonly after: SweepPlace | undefined
  /** What had been replayed when it began: at its end nothing of before is left. */
  readonly replayed: readonly Unswept[]
}

const beginning: Walk = { after: undefined, replayed: [] }

/** Forgets what need not be remembered any more, a bounded number of rows at a time. Replicas do not wait for each other. */
export class Sweeper {
  readonly #subscriptions: readonly Subscription[]
  readonly #deps: SubscriptionDeps
  readonly #limits: SubscriptionLimits
  readonly #failed: Seldom
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()
  readonly #walks: Record<'events' | 'keys', Walk> = { events: beginning, keys: beginning }
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
    const areEventsLeft = await this.#step('events', async ({ after, replayed }) => {
      const whole = replayed.length > 0
      const step = await sweepHandled(store.db, { after, max, memoryMs, nowMs: clock.now(), whole })
      return { step, isUrgent: true }
    })
    const areKeysLeft = await this.#step('keys', async ({ after, replayed }) => {
      const keepsOrder = this.#subscriptions.every(({ base }) => base === 'first-seen')
      const whole = replayed.length > 0
      if (!keepsOrder && !whole) return undefined
      const step = await sweepKeys(store.db, { after, max, memoryMs: keepsOrder ? memoryMs : undefined })
      // Most keys are young: a walk that finds nothing takes its time.
      return { step, isUrgent: step.gone > 0 || whole }
    })
    return areEventsLeft || areKeysLeft
  }

  /** What earlier generations left is looked for by the same walks: by itself it could only be found by reading everything. */
  async #step(
    what: 'events' | 'keys',
    walked: (walk: Walk) => Promise<{ readonly step: SweepStep; readonly isUrgent: boolean } | undefined>,
  ): Promise<boolean> {
    const { db } = this.#deps.store
    const { after } = this.#walks[what]
    const walk = after === undefined ? { after, replayed: await unswept(db, what) } : this.#walks[what]
    const done = await walked(walk)
    if (done === undefined) return false
    const { step, isUrgent } = done
    if (step.next === undefined) await noteSwept(db, what, walk.replayed)
    this.#walks[what] = { ...walk, after: step.next }
    return isUrgent && step.next !== undefined
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

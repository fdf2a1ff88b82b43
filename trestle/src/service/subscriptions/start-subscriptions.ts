import type { Timer } from '../../std/clock.ts'
import { ConcurrencyLimiter } from '../../std/concurrency-limiter.ts'
import { Seldom } from '../../std/seldom.ts'
import { arrive, leave, stay, wantedTypes, type Wishes } from '../../store/inbox/inbox-processes.ts'
import { inboxStates } from '../../store/inbox/inbox-state.ts'
import {
  acquireLease,
  type Lease,
  registerSubscription,
  releaseLeases,
  renewLeases,
} from '../../store/inbox/subscription-rows.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { BusEnd } from '../../store/outbox/bus.ts'
import { checkSubscriptions, streamOf } from './check-subscriptions.ts'
import { defaultSubscriptionLimits, type SubscriptionDeps, type SubscriptionLimits } from './deps.ts'
import { Sweeper } from './sweeper.ts'
import { RunningSubscription, typesOf } from './running-subscription.ts'

export type { SubscriptionDeps } from './deps.ts'

/** The subscriptions of one service in this process. */
export interface RunningSubscriptions {
  /** Looks at the inbox now instead of at the next poll: what an operator has changed, or another process left. */
  poll(): Promise<void>
  /** Events handled by this process so far. */
  handled(): number
  /** Takes nothing more, lets handlers finish, and lets other processes pull. */
  stop(): Promise<void>
}

/**
 * Brings the subscriptions of a service to life: each is written down, joined to the bus, and what waits in its inbox is
 * handled.
 * @throws TypeError for two subscriptions of one name, one whose events are not all of one contract, or one whose name is
 * known for another stream
 */
export async function startSubscriptions(
  definitions: readonly SubscriptionDefinition[],
  deps: SubscriptionDeps,
): Promise<RunningSubscriptions> {
  checkSubscriptions(deps.service, definitions)
  const limits = { ...defaultSubscriptionLimits, ...deps.limits }
  const limiter = new ConcurrencyLimiter({ insideMax: limits.transactionsMax, waitingMax: 65_536 })
  const all: RunningSubscription[] = []
  for (const definition of definitions) {
    const { name, from } = definition
    const row = await registerSubscription(deps.store.db, { name, stream: streamOf(definition), from })
    // Effects hold no connection while they run; their number is bounded by each subscription.
    const own = definition.mode === 'effect' ? new ConcurrencyLimiter({ insideMax: 64, waitingMax: 64 }) : limiter
    all.push(new RunningSubscription(definition, row, deps, limits, own))
  }
  const service = new Running(all, deps, limits)
  await service.start()
  return service
}

class Running implements RunningSubscriptions {
  readonly #all: readonly RunningSubscription[]
  readonly #ids: readonly number[]
  readonly #wishes: Wishes
  readonly #deps: SubscriptionDeps
  readonly #limits: SubscriptionLimits
  readonly #seldom: Seldom
  readonly #sweeper: Sweeper
  #ends: readonly BusEnd[] = []
  #timer: Timer | undefined
  #polling: Promise<void> | undefined
  #stopped = false
  #leases: ReadonlyMap<number, Lease> = new Map()
  #wanted: ReadonlyMap<number, readonly string[]> = new Map()
  #renewAtMs = 0
  /** Processes that have gone without a word, and of which all subscriptions know. */
  #gone: ReadonlySet<string> = new Set()
  #isOneGone = false

  constructor(all: readonly RunningSubscription[], deps: SubscriptionDeps, limits: SubscriptionLimits) {
    this.#all = all
    this.#ids = all.map(({ subscription }) => subscription.row.id)
    this.#wishes = Object.fromEntries(all.map(({ subscription: { row, definition } }) => [row.id, typesOf(definition)]))
    this.#deps = deps
    this.#limits = limits
    this.#seldom = new Seldom(deps.clock)
    this.#sweeper = new Sweeper(
      all.map(({ subscription }) => subscription),
      deps,
      limits,
    )
  }

  async start(): Promise<void> {
    if (this.#all.length === 0) return
    const { bus, service, store, process } = this.#deps
    this.#isOneGone = await arrive(store.db, process, this.#wishes)
    await this.poll()
    this.#ends = await Promise.all(
      this.#all.map((each) => {
        const { definition } = each.subscription
        return bus.consume({
          stream: streamOf(definition),
          service,
          subscription: definition.name,
          get types() {
            return each.types
          },
          sink: each.sink,
        })
      }),
    )
    this.#plan()
    this.#sweeper.start()
  }

  handled(): number {
    return this.#all.reduce((sum, each) => sum + each.handled, 0)
  }

  async poll(): Promise<void> {
    // Who asks wants to see what is there now, not what a poll that runs already has seen; whoever began that one hears why it
    // failed.
    await this.#polling?.catch(() => undefined)
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined
    })
    await this.#polling
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.cancel()
    for (const { subscription } of this.#all) subscription.stopping.abort(new Error('the service stops'))
    await this.#within(this.#limits.stopTimeoutMs, this.#finish())
  }

  async #finish(): Promise<void> {
    await Promise.all([...this.#ends.map((end) => end.close()), ...this.#all.map(({ workers }) => workers.stop())])
    await Promise.all([this.#polling?.catch(() => undefined), this.#sweeper.stop()])
    const { store, process } = this.#deps
    // Without this word others wait for the lease to run out: no reason to fail.
    await Promise.all([releaseLeases(store.db, process, this.#ids), leave(store.db, process, this.#wishes)]).catch(
      () => undefined,
    )
  }

  async #poll(): Promise<void> {
    const { store } = this.#deps
    await this.#keepLeases()
    const states = await inboxStates(store.db, this.#ids)
    const isOneGone = this.#isOneGone
    this.#isOneGone = false
    for (const each of this.#all) {
      const state = states.find(({ id }) => id === each.subscription.row.id)
      if (state === undefined) continue
      if (isOneGone) each.beCareful(state)
      each.update(this.#leases.get(state.id), this.#wanted.get(state.id) ?? [], state)
    }
  }

  /** Renews three times in the life of a lease; what others hold is asked for each time. */
  async #keepLeases(): Promise<void> {
    const { store, process, clock } = this.#deps
    const { leaseMs } = this.#limits
    const isWhole = this.#all.every(({ subscription, sink }) => {
      return sink.lease !== undefined && sink.lease.generation === subscription.row.generation
    })
    if (isWhole && clock.monotonic() < this.#renewAtMs) return
    const kept = await renewLeases(store.db, process, leaseMs, this.#ids)
    const leases = new Map(kept.filter((each) => this.#isMine(each)).map((each) => [each.id, each]))
    for (const id of this.#ids) {
      if (leases.has(id)) continue
      const taken = await acquireLease(store.db, id, process, leaseMs)
      if (taken !== undefined) leases.set(id, taken)
    }
    const gone = new Set(await stay(store.db, process, this.#wishes, leaseMs))
    if ([...gone].some((name) => !this.#gone.has(name))) this.#isOneGone = true
    this.#gone = gone
    // After the leases: whoever wants more types from now on takes them away.
    this.#wanted = await wantedTypes(store.db, this.#ids, leaseMs)
    this.#leases = leases
    this.#renewAtMs = clock.monotonic() + leaseMs / 3
  }

  /** One of the same name may have come in between: its fence is not ours. */
  #isMine({ id, fence }: Lease): boolean {
    const before = this.#leases.get(id)
    return before !== undefined && before.fence === fence
  }

  #plan(): void {
    if (this.#stopped) return
    const { clock, random } = this.#deps
    const waitMs = this.#limits.pollMs * (0.9 + random() / 5)
    this.#timer = clock.setTimeout(() => {
      this.poll()
        .catch((error: unknown) => this.#sayAway(error))
        .finally(() => this.#plan())
    }, waitMs)
  }

  #sayAway(error: unknown): void {
    const unsaid = this.#seldom.again('poll')
    if (unsaid !== undefined) this.#deps.log.warn({ unsaid, err: error }, 'the inbox cannot be looked at')
  }

  #within(ms: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#deps.clock.setTimeout(resolve, ms)
      work.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

import type { ConcurrencyLimiter } from '../../std/concurrency-limiter.ts'
import { Seldom } from '../../std/seldom.ts'
import type { InboxState } from '../../store/inbox/inbox-state.ts'
import type { Lease, SubscriptionRow } from '../../store/inbox/subscription-rows.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { SubscriptionDeps, SubscriptionLimits } from './deps.ts'
import { handleEffect } from './handle-effect.ts'
import { handleInTransaction } from './handle-in-transaction.ts'
import { InboxSink } from './inbox-sink.ts'
import { eventReader } from './read-event.ts'
import { about, type Subscription } from './subscription.ts'
import { Workers } from './workers.ts'

/** A bus hands over so many events at most before it hears that they have been taken. */
const handedOverMax = 1_000

/** A subscription at work in this process: its end of the bus, and those who handle what waits. */
export class RunningSubscription {
  readonly subscription: Subscription
  readonly sink: InboxSink
  readonly workers: Workers
  /** What is asked of the bus: what this process wants, and what others want of which this one may know nothing. */
  types: readonly string[]
  /** Events handled by this process. */
  handled = 0
  #waitingHere = 0
  #saidFull = false

  constructor(
    definition: SubscriptionDefinition,
    row: SubscriptionRow,
    deps: SubscriptionDeps,
    limits: SubscriptionLimits,
    limiter: ConcurrencyLimiter,
  ) {
    this.types = typesOf(definition)
    this.subscription = {
      definition,
      deps,
      limits,
      row,
      read: eventReader(definition.events),
      base: deps.bus.capabilities.order === 'none' ? 'one' : 'first-seen',
      carefulFor: 0,
      uncounted: new Set(),
      stopping: new AbortController(),
      seldom: new Seldom(deps.clock),
    }
    const handle = definition.mode === 'effect' ? handleEffect : handleInTransaction
    this.workers = new Workers(
      this.subscription,
      (onClaimed) => handle(this.subscription, onClaimed),
      limiter,
      (count) => this.#onHandled(count),
    )
    this.sink = new InboxSink(this.subscription, {
      onWaiting: (count) => {
        this.#waitingHere += count
        if (this.#waitingHere >= limits.waitingMax) this.sink.update({ lease: this.sink.lease, full: true })
        this.workers.wake()
      },
      onHandled: (count) => this.#onHandled(count),
    })
  }

  /** Takes what the poll has found. `wanted`: types that any process wants. */
  update(lease: Lease | undefined, wanted: readonly string[], state: InboxState): void {
    const { subscription } = this
    const { limits, deps, definition } = subscription
    if (state.generation !== subscription.row.generation)
      subscription.row = { id: state.id, generation: state.generation }
    this.#waitingHere = state.waiting
    const isBlocked = state.parkedWaiting >= limits.parkedWaitingMax
    this.#sayFull(isBlocked, state)
    const usable = lease?.generation === subscription.row.generation ? lease : undefined
    const full = isBlocked || state.waiting >= limits.waitingMax
    this.#ask(wanted, full)
    this.sink.update({ lease: usable, full })
    if (state.due) this.workers.wake()
    deps.observe?.({
      kind: 'lag',
      service: deps.service,
      subscription: definition.name,
      lag: {
        waiting: state.waiting + state.parkedWaiting,
        parkedKeys: state.parkedKeys,
        oldestMs: state.oldestMs === undefined ? 0 : Math.max(0, deps.clock.now() - state.oldestMs),
      },
    })
  }

  /** What has killed a process may kill this one: it is among what waits, or among what comes next. */
  beCareful({ waiting }: InboxState): void {
    this.subscription.carefulFor = waiting + handedOverMax
  }

  /** What is read for other types is given up. The lease stays, and with it the place that this process has come to. */
  #ask(wanted: readonly string[], full: boolean): void {
    const types = [...new Set([...typesOf(this.subscription.definition), ...wanted])]
    if (types.length === this.types.length && types.every((type) => this.types.includes(type))) return
    this.types = types
    const { lease } = this.sink
    this.sink.update({ lease: undefined, full })
    this.sink.update({ lease, full })
  }

  #sayFull(isFull: boolean, { parkedWaiting, parkedKeys }: InboxState): void {
    if (isFull && !this.#saidFull) {
      const fields = { ...about(this.subscription), parkedWaiting, parkedKeys }
      this.subscription.deps.log.error(fields, 'no more events are taken: too many wait behind parked keys')
    }
    this.#saidFull = isFull
  }

  #onHandled(count: number): void {
    if (count === 0) return
    this.handled += count
    this.#waitingHere = Math.max(0, this.#waitingHere - count)
    this.subscription.carefulFor = Math.max(0, this.subscription.carefulFor - count)
    const { deps, definition } = this.subscription
    deps.observe?.({ kind: 'handled', service: deps.service, subscription: definition.name, count })
  }
}

/** The types that this process knows. */
export function typesOf({ events }: SubscriptionDefinition): readonly string[] {
  return events.map(({ name }) => name)
}

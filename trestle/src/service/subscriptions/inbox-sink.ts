import { crashPoint } from '../../std/crash-points.ts'
import { transactionScope } from '../../std/transaction-scope.ts'
import { addWaiting } from '../../store/inbox/accept.ts'
import { type KeyRun, keyRuns } from '../../store/inbox/key-runs.ts'
import { type Lease, movePosition } from '../../store/inbox/subscription-rows.ts'
import type { EventSink, FeedStart } from '../../store/outbox/bus.ts'
import type { EventEnvelope, EventPosition } from '../../store/outbox/event-envelope.ts'
import { handleOnArrival } from './handle-on-arrival.ts'
import type { Move } from './move.ts'
import { withoutUnwanted } from './sort-runs.ts'
import type { Subscription } from './subscription.ts'

/** What the sink tells those who handle. */
export interface SinkEvents {
  /** So many events have been put into the inbox, and wait there. */
  readonly onWaiting: (count: number) => void
  /** So many were handled as they arrived. */
  readonly onHandled: (count: number) => void
}

/** The consumer's end of a subscription: writes down what the bus hands over, and with it the place. */
export class InboxSink implements EventSink {
  readonly #subscription: Subscription
  readonly #events: SinkEvents
  #lease: Lease | undefined
  #full = false
  #turn = new AbortController()
  #changed = Promise.withResolvers<void>()

  constructor(subscription: Subscription, events: SinkEvents) {
    this.#subscription = subscription
    this.#events = events
  }

  get lease(): Lease | undefined {
    return this.#lease
  }

  get turned(): AbortSignal {
    return this.#turn.signal
  }

  /** What this process may do has changed: it got or lost the lease, another generation began, there is room or none. */
  update(state: { readonly lease: Lease | undefined; readonly full: boolean }): void {
    const isSame = state.lease?.fence === this.#lease?.fence && state.lease?.generation === this.#lease?.generation
    // The place that this process has moved itself is newer than one that was read beside it.
    if (!isSame) {
      this.#lease = state.lease
      this.#turn.abort(new Error('the place of the subscription has changed'))
      this.#turn = new AbortController()
    }
    this.#full = state.full
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async position(): Promise<FeedStart> {
    if (this.#lease === undefined) throw new Error('another process pulls for this subscription')
    return this.#lease.start
  }

  async ready(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>()
    const abort = () => aborted.resolve()
    signal.addEventListener('abort', abort)
    while (!signal.aborted && (this.#lease === undefined || this.#full)) {
      await Promise.race([this.#changed.promise, aborted.promise])
    }
    signal.removeEventListener('abort', abort)
    signal.throwIfAborted()
  }

  async accept(events: readonly EventEnvelope[], next: EventPosition | undefined): Promise<void> {
    const lease = this.#lease
    if (next !== undefined && lease === undefined) throw new Error('the lease to pull is lost')
    const runs = keyRuns(events)
    try {
      await transactionScope.outside(() => this.#accept(runs, events, lease, next))
    } catch (error) {
      // The lease or the generation is not what it was: this process finds out before it goes on.
      if ((error as { code?: unknown }).code === '22012' && lease === this.#lease)
        this.update({ lease: undefined, full: this.#full })
      throw error
    }
    crashPoint('inbox.after-accept-commit')
    if (next !== undefined && this.#lease !== undefined && this.#lease === lease) {
      this.#lease = { ...this.#lease, start: { kind: 'position', position: next } }
    }
  }

  async #accept(
    runs: readonly KeyRun[],
    events: readonly EventEnvelope[],
    lease: Lease | undefined,
    next: EventPosition | undefined,
  ): Promise<void> {
    const move =
      lease === undefined || next === undefined ? undefined : { lease, next, occurredMs: events.at(-1)?.occurredAt }
    if (events.length > 0 && this.#mayHandleOnArrival()) {
      const done = await handleOnArrival(this.#subscription, runs, events, move)
      if (done !== undefined) {
        this.#events.onHandled(done.handled)
        if (done.waiting > 0) this.#events.onWaiting(done.waiting)
        return
      }
    }
    const waiting = await this.#writeDown(runs, move)
    if (waiting > 0) this.#events.onWaiting(waiting)
  }

  /** A careful process writes down first: the tries of what is nowhere written cannot be counted. */
  #mayHandleOnArrival(): boolean {
    const { definition, carefulFor } = this.#subscription
    return definition.mode === 'transaction' && definition.batchMax > 1 && carefulFor === 0
  }

  /** Rows and place in one transaction; sent in one flight unless there are keys whose place alone counts. */
  async #writeDown(runs: readonly KeyRun[], move: Move | undefined): Promise<number> {
    const { deps, row, base } = this.#subscription
    const of = move?.lease ?? row
    crashPoint('inbox.before-accept')
    return await deps.store.transaction(async ({ db }) => {
      const rest = await withoutUnwanted(db, of, runs, base)
      // Not waited for one by one: the commit fails when one of them does.
      const sent = [addWaiting(db, of, rest, base)]
      if (move !== undefined) sent.push(movePosition(db, move.lease, move.next, move.occurredMs))
      for (const each of sent) each.catch(() => undefined)
      crashPoint('inbox.before-accept-commit')
      return rest.reduce((sum, run) => sum + run.events.length, 0)
    })
  }
}

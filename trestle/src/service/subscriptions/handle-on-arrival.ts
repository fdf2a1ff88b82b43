import { crashPoint } from '../../std/crash-points.ts'
import { newTrace, type TraceContext } from '../../std/trace-context.ts'
import { addWaiting, advanceKeys, insertHandled } from '../../store/inbox/accept.ts'
import { isWanted, type KeyRun } from '../../store/inbox/key-runs.ts'
import { movePosition } from '../../store/inbox/subscription-rows.ts'
import type { Delivery } from '../../store/inbox/subscription.ts'
import type { EventEnvelope } from '../../store/outbox/event-envelope.ts'
import type { Tx } from '../../store/store.ts'
import { failureKind, ranOutOfTime } from './failure-kind.ts'
import { manyExtras } from './handler-extras.ts'
import type { Move } from './move.ts'
import { mayAdvance, withoutUnwanted } from './sort-runs.ts'
import { about, type Subscription } from './subscription.ts'
import type { WrittenEvent } from './read-event.ts'

/** What became of a batch in the transaction that took it. */
export interface OnArrival {
  readonly handled: number
  /** Of keys that have something waiting, are parked, or miss a version. */
  readonly waiting: number
}

/**
 * Takes a batch and handles it in one transaction: events are noted as handled when they are written down. Events of keys
 * whose turn it is not are written down to wait.
 * @returns `undefined` when nothing was written because the batch cannot be handled as a whole: then one by one
 * @throws what says that the database or the lease is gone: the bus hands the batch over again
 */
export async function handleOnArrival(
  subscription: Subscription,
  runs: readonly KeyRun[],
  events: readonly EventEnvelope[],
  move: Move | undefined,
): Promise<OnArrival | undefined> {
  const attempt = new Attempt(subscription, runs, events, move)
  try {
    const done = await subscription.deps.store.transaction((tx) => attempt.run(tx), attempt)
    crashPoint('inbox.after-arrival-commit')
    return done
  } catch (error) {
    if (attempt.leaseLost || (failureKind(error) === 'later' && !ranOutOfTime(error))) throw error
    if (!attempt.knownAlready) sayFellBack(subscription, events.length, error)
    return undefined
  }
}

function sayFellBack(subscription: Subscription, count: number, error: unknown): void {
  const unsaid = subscription.seldom.again('batch')
  if (unsaid === undefined) return
  const fields = { ...about(subscription), events: count, unsaid, err: error }
  subscription.deps.log.warn(fields, 'a batch of events could not be handled; they are handled one by one')
}

class Attempt {
  /** Read when the transaction commits: that of the first event. */
  trace: TraceContext = newTrace()
  readonly timeoutMs: number
  leaseLost = false
  knownAlready = false
  readonly #subscription: Subscription
  readonly #runs: readonly KeyRun[]
  readonly #events: readonly EventEnvelope[]
  readonly #move: Move | undefined

  constructor(
    subscription: Subscription,
    runs: readonly KeyRun[],
    events: readonly EventEnvelope[],
    move: Move | undefined,
  ) {
    this.#subscription = subscription
    this.timeoutMs = subscription.limits.transactionTimeoutMs
    this.#runs = runs
    this.#events = events
    this.#move = move
  }

  async run(tx: Tx<unknown>): Promise<OnArrival> {
    const { base, row } = this.#subscription
    const of = this.#move?.lease ?? row
    crashPoint('inbox.before-arrival')
    const runs = await withoutUnwanted(tx.db, of, this.#runs, base)
    const ready = runs.filter((run) => mayAdvance(run, base))
    const moved = await advanceKeys(tx.db, of, ready)
    const wanted = this.#inOrder().filter((event) => moved.has(event.key) && isWanted(event))
    const deliveries = wanted.map((event) => this.#subscription.read(event as WrittenEvent))
    const rest = runs.filter(({ key }) => !moved.has(key))
    // Sent, not waited for: the commit fails when one of them does.
    insertHandled(tx.db, of, wanted).catch((error: unknown) => {
      this.knownAlready = isDivision(error)
    })
    addWaiting(tx.db, of, rest, base).catch(() => undefined)
    await this.#handle(tx, deliveries)
    crashPoint('inbox.before-arrival-commit')
    if (this.#move !== undefined) {
      const { lease, next, occurredMs } = this.#move
      movePosition(tx.db, lease, next, occurredMs).catch((error: unknown) => {
        this.leaseLost = isDivision(error) && !this.knownAlready
      })
    }
    return { handled: wanted.length, waiting: rest.reduce((sum, run) => sum + run.events.length, 0) }
  }

  async #handle(tx: Tx<unknown>, deliveries: readonly Delivery[]): Promise<void> {
    const { definition, stopping } = this.#subscription
    for (let at = 0; at < deliveries.length; at += definition.batchMax) {
      const batch = deliveries.slice(at, at + definition.batchMax)
      const [first] = batch
      if (first === undefined) return
      if (at === 0) this.trace = first.meta.trace
      const more = manyExtras(this.#subscription, stopping.signal)
      await definition.run(batch, { tx, more })
      crashPoint('inbox.after-batch-handler')
    }
  }

  /** As they came, when that is the order of their keys: then it is the order in which they were published. */
  #inOrder(): readonly EventEnvelope[] {
    return this.#runs.every(({ inOrder }) => inOrder) ? this.#events : this.#runs.flatMap(({ events }) => events)
  }
}

function isDivision(error: unknown): boolean {
  return (error as { code?: unknown }).code === '22012'
}

import type { TraceContext } from '../../std/trace-context.ts'
import type { ContractEvent } from '../../contract/contract.ts'
import type { Tx } from '../store.ts'

/** What is known of an event besides its payload. */
export interface EventMeta {
  /** A UUID version 7; the same at every delivery. */
  readonly id: string
  readonly type: string
  readonly version: number
  /** What orders it, and its number among the events of that key. */
  readonly key: string
  readonly keyVersion: number
  /** Milliseconds since 1970. */
  readonly occurredAt: number
  /** The span of its handling; its trace is the publisher's. */
  readonly trace: TraceContext
}

/** One event for a handler: the payload as the contract reads it. */
export interface Delivery {
  readonly event: unknown
  readonly meta: EventMeta
}

/**
 * A wish to be told of events of one stream: what `impl.on`, `impl.effect` and sagas make.
 * `transaction`: `run` gets `tx`, and what it writes commits together with the note that the event is done.
 * `effect`: `run` gets no transaction, may call others, and runs again under the same key until it has succeeded.
 */
export interface SubscriptionDefinition {
  /** Unique within the service and the same for ever, as its stream is: what has been handled is noted under it. */
  readonly name: string
  /** All of one contract. */
  readonly events: readonly ContractEvent[]
  readonly mode: 'transaction' | 'effect'
  /** Events handed over at once, 1..1,000; more than 1 only in the mode `transaction`. */
  readonly batchMax: number
  /** Where a new subscription begins; default of `impl.on`: `earliest`. */
  readonly from: 'earliest' | 'latest'
  /** Tries of one event before its key is parked; default 10. */
  readonly triesMax: number
  /** How many events may be handled at once in one process, each of another key; default 4. */
  readonly concurrencyMax: number
  /** `args` are those of the mode: see `EventHandlerArgs` and `EffectArgs` of the service. */
  readonly run: (deliveries: readonly Delivery[], args: SubscriptionArgs) => Promise<void>
}

/** What the runtime gives to a subscription; services see the typed forms. */
export interface SubscriptionArgs {
  /** In the mode `transaction`. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tables are known where the service is written
  readonly tx: Tx<any> | undefined
  /** What the typed forms add: call, store, key, newId, now, random, log, signal. */
  readonly more: object
}

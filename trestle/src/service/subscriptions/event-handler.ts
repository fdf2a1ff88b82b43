import type { Caller } from '../../call/caller.ts'
import type { Client } from '../../call/client.ts'
import type { ContractEvent, EventOf } from '../../contract/contract.ts'
import type { EventMeta } from '../../store/inbox/subscription.ts'
import type { Store, Tx } from '../../store/store.ts'
import type { Log, Uses } from '../service.ts'

type MetaOf<E extends ContractEvent> = EventMeta & { readonly type: E['name'] }

interface Common {
  /** A UUID version 7 that is the same whenever this event is handled again. */
  readonly newId: () => string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** 0 <= x < 1; not for secrets. */
  readonly random: () => number
  /** Aborts when the service stops. */
  readonly signal: AbortSignal
  readonly log: Log
}

/** What the handler of one event may use. It may not call: `impl.effect` is for that. */
export interface EventHandlerArgs<E extends ContractEvent, Tables> extends Common {
  readonly event: EventOf<E>
  readonly meta: MetaOf<E>
  /** Commits together with the note that the event has been handled. */
  readonly tx: Tx<Tables>
}

/** What the handler of many events may use. */
export interface BatchHandlerArgs<E extends ContractEvent, Tables> extends Common {
  /** In the order of their keys' versions. */
  readonly events: readonly { readonly event: EventOf<E>; readonly meta: MetaOf<E> }[]
  readonly tx: Tx<Tables>
}

/** What a handler may use that does something outside of the database. */
export interface EffectArgs<E extends ContractEvent, U extends Uses, Tables> extends Common {
  readonly event: EventOf<E>
  readonly meta: MetaOf<E>
  /** The same whenever this event is handled again: what makes an outside effect repeatable. */
  readonly key: string
  readonly caller: Caller
  readonly call: { readonly [K in keyof U]: Client<U[K], 'derived'> }
  /** At most one transaction; it carries the note that the event has been handled. */
  readonly store: [Tables] extends [never] ? undefined : Store<Tables>
}

/** How a subscription goes about its events. */
export interface SubscriptionOptions {
  /**
   * Default: contract and event, `orders.placed`; of several events the contract, `orders`; of another major version than 1
   * with that, `orders@2.placed`. Unique within the service and the same for ever, with events of the same contract and major
   * version: else the service does not start.
   */
  readonly name?: string
  /** Where it begins when it is new; default `earliest`. */
  readonly from?: 'earliest' | 'latest'
  /** Tries before a key is parked; default 10. */
  readonly triesMax?: number
  /** Events handled at once in one process, each of another key; default 4. */
  readonly concurrencyMax?: number
}

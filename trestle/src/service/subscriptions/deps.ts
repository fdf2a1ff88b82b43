import type { CallContext } from '../../call/call-context.ts'
import type { Clock } from '../../std/clock.ts'
import type { Bus } from '../../store/outbox/bus.ts'
import type { OpenStore } from '../../store/store.ts'
import type { Log } from '../service.ts'

/** What the host gives to the subscriptions of a service. */
export interface SubscriptionDeps {
  readonly service: string
  /** Names this process among those that run the service; a process that takes the place of another has its name. */
  readonly process: string
  readonly store: OpenStore<unknown>
  readonly bus: Bus
  /** The service's clients for one piece of work. */
  readonly callsFor: (context: CallContext) => object
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Told what became of events. Must not throw. */
  readonly observe?: (observation: SubscriptionObservation) => void
  readonly limits?: Partial<SubscriptionLimits>
}

/** What became of an event, or what waits in the inbox of a subscription; for the metrics. */
export type SubscriptionObservation =
  | { readonly kind: 'handled'; readonly service: string; readonly subscription: string; readonly count: number }
  | { readonly kind: 'failed' | 'parked'; readonly service: string; readonly subscription: string }
  | { readonly kind: 'lag'; readonly service: string; readonly subscription: string; readonly lag: Lag }

/** How far behind a subscription is. */
export interface Lag {
  /** Events in the inbox that wait, those of parked keys included. */
  readonly waiting: number
  readonly parkedKeys: number
  /** Age of the oldest event that is not parked and has not been handled, as far as this process knows; milliseconds. */
  readonly oldestMs: number
}

/** What subscriptions may use at most, and how they keep time. */
export interface SubscriptionLimits {
  /** Events of one subscription that may wait in the inbox; default 10,000. Those of parked keys do not count. */
  readonly waitingMax: number
  /** Events of one subscription that may wait behind parked keys; default 100,000: then it stops until somebody acts. */
  readonly parkedWaitingMax: number
  /** Transactions of all subscriptions of a service at once in one process; default 4. */
  readonly transactionsMax: number
  /** How long the right to pull holds when its holder says nothing; default 10,000. */
  readonly leaseMs: number
  /** How often the inbox is looked at for what other processes left; default 1,000. */
  readonly pollMs: number
  /** How long an effect's claim holds when its process says nothing; default 10,000. */
  readonly claimMs: number
  /** How long one handling of an effect may take; default 300,000. */
  readonly effectTimeoutMs: number
  /** How long a transaction in which events are handled may take; default 30,000. */
  readonly transactionTimeoutMs: number
  /** Bounds of the wait before a try is repeated; default 100 and 15,000. */
  readonly retryBaseMs: number
  readonly retryMaxMs: number
  /** How long `stop` lets handlers finish; default 5,000. */
  readonly stopTimeoutMs: number
  /** How long it is remembered what has been handled, from then on; default 14 days. Must be longer than events are kept. */
  readonly memoryMs: number
  /** How often what need not be remembered any more is deleted; default 60,000. */
  readonly sweepMs: number
  /** Rows of a table that are looked at, and deleted, at once; default 5,000. */
  readonly sweepMax: number
}

export const defaultSubscriptionLimits: SubscriptionLimits = {
  waitingMax: 10_000,
  parkedWaitingMax: 100_000,
  transactionsMax: 4,
  leaseMs: 10_000,
  pollMs: 1_000,
  claimMs: 10_000,
  effectTimeoutMs: 300_000,
  transactionTimeoutMs: 30_000,
  retryBaseMs: 100,
  retryMaxMs: 15_000,
  stopTimeoutMs: 5_000,
  memoryMs: 14 * 86_400_000,
  sweepMs: 60_000,
  sweepMax: 5_000,
}

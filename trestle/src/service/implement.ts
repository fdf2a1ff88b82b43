import type { SagaDefinition } from '../call/saga-definition.ts'
import type { AnyContract, ContractEvent } from '../contract/contract.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { Duration } from '../std/duration.ts'
import type { SubscriptionDefinition } from '../store/inbox/subscription.ts'
import type { StoreSpec } from '../store/store.ts'
import { checkedHandlers } from './checked-handlers.ts'
import { atJob, cronJob, everyJob, type Job, type JobArgs, type JobOptions, type JobResult } from './jobs/job.ts'
import type { CronOptions } from './jobs/schedule.ts'
import type { Handler, ServiceDefinition, ServiceHooks, StartArgs, Uses } from './service.ts'
import type {
  BatchHandlerArgs,
  EffectArgs,
  EventHandlerArgs,
  SubscriptionOptions,
} from './subscriptions/event-handler.ts'
import { type AnyHandle, effectOf, type EventChoice, onEvent } from './subscriptions/define-subscription.ts'

/** What the handlers of a service have at hand, and how many of them may run at once. */
export interface ImplementOptions<U extends Uses, Tables> {
  /** Default: the name of the first contract. */
  readonly name?: string
  /** The contracts that the handlers may call, each under the name by which they call it. */
  readonly uses?: U
  readonly store?: StoreSpec<Tables>
  /** Handlers that run at once in one process; default 256. */
  readonly concurrencyMax?: number
  /** Calls that wait for a place; default 1,024; beyond: `overloaded`. */
  readonly waitingMax?: number
}

type NoUses = Record<never, never>
/** One contract or several, implemented by one service. */
export type Contracts = readonly [AnyContract, ...AnyContract[]]
type OperationOf<C extends AnyContract, K extends keyof C['operations']> = C['operations'][K] extends AnyOperation
  ? C['operations'][K]
  : never

/** A handler for every operation of a contract. */
export type HandlersOf<C extends AnyContract, U extends Uses, Tables> = {
  readonly [K in keyof C['operations'] & string]: Handler<OperationOf<C, K>, U, Tables>
}

/** For one contract its handlers; for several a list of them, in the order in which `implement` names the contracts. */
export type ServiceHandlers<Cs extends Contracts, U extends Uses, Tables> = Cs extends readonly [
  infer Only extends AnyContract,
]
  ? HandlersOf<Only, U, Tables>
  : { readonly [I in keyof Cs]: HandlersOf<Cs[I], U, Tables> }

/** The function of a job. */
type JobOf<U extends Uses, Tables> = (args: JobArgs<U, Tables>) => Promise<JobResult>

/** What makes a service: a handler for every operation, what it does at its start, and its jobs. */
export interface ServiceSpec<Cs extends Contracts, U extends Uses, Tables> {
  readonly handlers: ServiceHandlers<Cs, U, Tables>
  /** After the migrations and before the first call: load reference data, for instance. Must be safe to run again. */
  readonly start?: (args: StartArgs<Tables>) => Promise<void>
  /** Made by `impl.every`, `impl.at` and `impl.cron`. */
  readonly jobs?: readonly Job<U, Tables>[]
  /** Made by `impl.on` and `impl.effect`. */
  readonly on?: readonly SubscriptionDefinition[]
  /** Made by `saga(...)`; this service owns their instances. */
  readonly sagas?: readonly SagaDefinition[]
}

/** The tools to write one service, typed by its contracts, what it uses and its tables. */
export interface Implementation<Cs extends Contracts, U extends Uses, Tables> {
  /** Types a handler that stands in a file of its own. */
  handler<K extends keyof Cs[0]['operations'] & string>(
    name: K,
    fn: Handler<OperationOf<Cs[0], K>, U, Tables>,
  ): Handler<OperationOf<Cs[0], K>, U, Tables>
  /** The same for a service of several contracts. */
  handler<C extends Cs[number], K extends keyof C['operations'] & string>(
    contract: C,
    name: K,
    fn: Handler<OperationOf<C, K>, U, Tables>,
  ): Handler<OperationOf<C, K>, U, Tables>
  /**
   * Handles many events at once, at most `batch` of them (1..1,000), in one transaction.
   * @example impl.on(orders.events.placed, ({ events, tx }) => count(tx, events), { batch: 500 })
   */
  on<E extends ContractEvent>(
    event: E | readonly E[],
    handle: (args: BatchHandlerArgs<E, Tables>) => Promise<unknown>,
    options: SubscriptionOptions & { readonly batch: number },
  ): SubscriptionDefinition
  /**
   * Handles an event of another service, or of this one, once: what `handle` writes with `tx` commits together with the
   * note that the event has been handled. It may not call anybody. Several events of one contract are handled as one
   * subscription: those of one key in their order, whatever their types.
   * @example impl.on(payments.events.captured, ({ event, tx }) => markPaid(tx, event.orderId))
   */
  on<E extends ContractEvent>(
    event: E | readonly E[],
    handle: (args: EventHandlerArgs<E, Tables>) => Promise<unknown>,
    options?: SubscriptionOptions,
  ): SubscriptionDefinition
  /**
   * Does something outside of the database because of an event: calls a service, sends a message. It runs until it
   * succeeds once, at least once, always with the same `key`.
   * @example impl.effect(orders.events.confirmed, ({ event, key }) => mail.send({ messageId: key, to: event.email }))
   */
  effect<E extends ContractEvent>(
    event: E | readonly E[],
    handle: (args: EffectArgs<E, U, Tables>) => Promise<unknown>,
    options?: SubscriptionOptions,
  ): SubscriptionDefinition
  /**
   * Work that is repeated, the first time after one interval. Each tick is run by one replica, once: what the run writes in
   * its one transaction commits together with the note that the tick has been run. A run that fails is logged and tried
   * again, ever more seldom. Without a store each replica runs it for itself.
   * @throws RangeError for an interval or a name that cannot be one
   * @example impl.every('15 minutes', 'expire-carts', async ({ store, now }) => expireCarts(store.db, now()))
   */
  every(interval: Duration, name: string, run: JobOf<U, Tables>, options?: JobOptions): Job<U, Tables>
  /**
   * The same at one time, with its zone; where that has passed when the job is first seen, at once.
   * @example impl.at('2027-01-01T00:00:00Z', 'raise-prices', raisePrices)
   */
  at(time: Date | string, name: string, run: JobOf<U, Tables>): Job<U, Tables>
  /**
   * The same by a cron expression of five fields, or six with seconds, in a time zone (default UTC).
   * @example impl.cron('30 3 * * mon', 'weekly-report', report, { timeZone: 'Europe/Berlin', missed: 'skip' })
   */
  cron(expression: string, name: string, run: JobOf<U, Tables>, options?: JobOptions & CronOptions): Job<U, Tables>
  /** Puts the service together; nothing is opened or started. @throws TypeError for a missing or unknown handler */
  service(spec: ServiceSpec<Cs, U, Tables>): ServiceDefinition
}

/**
 * Begins the implementation of a contract, or of several (two major versions, a partner's view, an internal one).
 * @example
 * const impl = implement(orders, { uses: { carts }, store: postgres<OrdersTables>({ migrations }) })
 * const find = impl.handler('find', async ({ input, store, fail }) => (await read(store, input.id)) ?? fail('order_not_found'))
 * export default impl.service({ handlers: { find } })
 */
export function implement<const C extends AnyContract, U extends Uses = NoUses, Tables = never>(
  contract: C,
  options?: ImplementOptions<U, Tables>,
): Implementation<readonly [C], U, Tables>
export function implement<const Cs extends Contracts, U extends Uses = NoUses, Tables = never>(
  contracts: Cs,
  options?: ImplementOptions<U, Tables>,
): Implementation<Cs, U, Tables>
export function implement(
  subject: AnyContract | Contracts,
  options: ImplementOptions<Uses, unknown> = {},
  // oxlint-disable-next-line typescript/no-explicit-any -- the overloads say it exactly
): Implementation<any, any, any> {
  const contracts = 'kind' in subject ? ([subject] as const) : subject
  const name = options.name ?? contracts[0].name
  const concurrencyMax = atLeast(1, 'concurrencyMax', options.concurrencyMax ?? 256)
  const waitingMax = atLeast(0, 'waitingMax', options.waitingMax ?? 1_024)
  return {
    handler: (...args: unknown[]) => args.at(-1) as never,
    on: (event: EventChoice, handle: AnyHandle, given?: SubscriptionOptions & { batch?: number }) =>
      onEvent(event, handle, given ?? {}),
    effect: (event: EventChoice, handle: AnyHandle, given: SubscriptionOptions = {}) => effectOf(event, handle, given),
    every: (interval: Duration, job: string, run: Job['run'], given?: JobOptions) =>
      everyJob(interval, job, run, given),
    at: (time: Date | string, job: string, run: Job['run']) => atJob(time, job, run),
    cron: (expression: string, job: string, run: Job['run'], given?: JobOptions & CronOptions) =>
      cronJob(expression, job, run, given),
    service: (spec) => ({
      kind: 'service',
      name,
      contracts,
      uses: options.uses ?? {},
      store: options.store,
      handlers: checkedHandlers(name, contracts, spec.handlers),
      hooks: hooksOf(spec),
      subscriptions: spec.on ?? [],
      sagas: spec.sagas ?? [],
      concurrencyMax,
      waitingMax,
    }),
  }
}

function atLeast(least: number, name: string, value: number): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new RangeError(`${name} must be a whole number from ${least}, not ${value}`)
}

function hooksOf({ start, jobs = [] }: Pick<ServiceSpec<Contracts, Uses, unknown>, 'start' | 'jobs'>): ServiceHooks {
  return start === undefined ? { jobs } : { start, jobs }
}

import type { AnyContract } from '../contract/contract.ts'
import type { AnyOperation, ErrorCodeOf, ParsedInputOf } from '../contract/operation.ts'
import type { DetailsOf } from '../contract/problem.ts'
import type { Caller } from '../call/caller.ts'
import type { Client } from '../call/client.ts'
import type { SagaDefinition } from '../call/saga-definition.ts'
import type { SubscriptionDefinition } from '../store/inbox/subscription.ts'
import type { Store, StoreSpec } from '../store/store.ts'
import type { Job } from './jobs/job.ts'
import type { Committed, OnceStore } from './once/committed.ts'
import type { HandlerResult } from './reply.ts'
import type { TraceContext } from '../std/trace-context.ts'

/** The contracts that a service calls, each under the name by which it calls it. */
export type Uses = Readonly<Record<string, AnyContract>>

/**
 * Ends the handler with a declared error. It throws, so it may stand anywhere in an expression; its type is `never`.
 * Codes without details take none; codes with details need them.
 * @example return fail('out_of_stock', { sku }, { detail: 'two are left', retryAfterMs: 60_000 })
 */
export type Fail<Op extends AnyOperation> = <Code extends ErrorCodeOf<Op>>(
  code: Code,
  ...details: DetailsOf<Op['errors'][Code]> extends undefined
    ? [extra?: FailExtra]
    : [details: DetailsOf<Op['errors'][Code]>, extra?: FailExtra]
) => never

/** What any declared error may say besides. */
export interface FailExtra {
  /** One sentence for people. */
  readonly detail?: string
  /** Milliseconds after which asking again may help; the gateway says it as `Retry-After`, in whole seconds. */
  readonly retryAfterMs?: number
}

/** No tables: the service has no store. */
export type StoreOf<Tables> = [Tables] extends [never] ? undefined : Store<Tables>

/** The store of an operation's handler: of one with a key it makes the reply, too. */
export type StoreFor<Op extends AnyOperation, Tables> = [Tables] extends [never]
  ? undefined
  : Op['idempotent'] extends 'key'
    ? OnceStore<Tables, HandlerResult<Op>>
    : Store<Tables>

/** What a handler gives back: with a key and a store, that which its one transaction has committed. */
export type Answer<Op extends AnyOperation, Tables> = [Tables] extends [never]
  ? HandlerResult<Op>
  : Op['idempotent'] extends 'key'
    ? Committed<HandlerResult<Op>>
    : HandlerResult<Op>

/** Everything that a handler may use. */
export interface HandlerArgs<Op extends AnyOperation, U extends Uses, Tables> {
  readonly input: ParsedInputOf<Op>
  readonly caller: Caller
  readonly call: { readonly [K in keyof U]: Client<U[K], Op['idempotent'] extends 'key' ? 'derived' : 'given'> }
  /**
   * The service's own database; `undefined` when it declares none. Of an operation with a key: reads are free, all writes
   * are in one `store.transaction`, and what that gives is the reply.
   */
  readonly store: StoreFor<Op, Tables>
  readonly fail: Fail<Op>
  /** A UUID version 7. Of an operation with a key and a store: the same when the request is worked on again. */
  readonly newId: () => string
  /** Milliseconds since 1970. Of an operation with a key and a store: when the request was first worked on. */
  readonly now: () => number
  /** 0 <= x < 1; not for secrets. Of an operation with a key and a store: the same when it is worked on again. */
  readonly random: () => number
  /** Aborts when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal
  /** Milliseconds left. */
  readonly timeLeftMs: () => number
  /** Idempotency key of the request. */
  readonly key: Op['idempotent'] extends 'key' ? string : string | undefined
  readonly log: Log
  readonly trace: TraceContext
}

/** The log of a service: fields first, then one sentence. Fields that are called like secrets are masked. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/**
 * Answers one operation. It returns the wire form of the output; `fail(...)` ends it with a declared error, anything else
 * that it throws is `internal` for the caller and logged once.
 */
export type Handler<Op extends AnyOperation, U extends Uses, Tables> = (
  args: HandlerArgs<Op, U, Tables>,
) => Answer<Op, Tables> | Promise<Answer<Op, Tables>>

/** A handler whose types have been forgotten: what the runtime holds. */
// oxlint-disable-next-line typescript/no-explicit-any -- handlers of all operations live in one map
export type AnyHandler = (args: any) => unknown

/** A service: the implementation of one or more contracts. What `impl.service({...})` makes; the host runs it. */
export interface ServiceDefinition {
  readonly kind: 'service'
  readonly name: string
  readonly contracts: readonly AnyContract[]
  readonly uses: Uses
  readonly store: StoreSpec<unknown> | undefined
  /** By `contract id` and operation name. */
  readonly handlers: ReadonlyMap<string, ReadonlyMap<string, AnyHandler>>
  readonly hooks: ServiceHooks
  /** Made by `impl.on` and `impl.effect`. */
  readonly subscriptions: readonly SubscriptionDefinition[]
  readonly sagas: readonly SagaDefinition[]
  /** Handlers that run at once in one process; default 256. */
  readonly concurrencyMax: number
  /** Calls that wait for a place; default 1,024; beyond: `overloaded`. */
  readonly waitingMax: number
}

/** What a service does around serving. */
export interface ServiceHooks<U extends Uses = Uses, Tables = unknown> {
  /** After the migrations and before the first call: load reference data, for instance. Must be safe to run again. */
  readonly start?: (args: StartArgs<Tables>) => Promise<void>
  readonly jobs?: readonly Job<U, Tables>[]
}

/** What the `start` of a service may use. */
export interface StartArgs<Tables = unknown> {
  readonly store: StoreOf<Tables>
  /** Says how far a long start has come; printed while it takes longer than a second. */
  readonly progress: (message: string) => void
  readonly signal: AbortSignal
  readonly log: Log
  readonly now: () => number
  readonly newId: () => string
}

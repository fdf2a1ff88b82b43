import type { AnyContract, ContractEvent, EventOf } from '../contract/contract.ts'

import type { Client } from '../call/client.ts'
import type { SagaDefinition } from '../call/saga-definition.ts'
import type { Tx } from '../store/store.ts'

/** The contracts that the steps of a saga call, each under the name by which they call it. */
export type SagaUses = Readonly<Record<string, AnyContract>>

/** What has been given back by earlier steps and by the events that were waited for. */
export type Results = Readonly<Record<string, unknown>>

type Calls<U extends SagaUses> = { readonly [K in keyof U]: SagaClient<U[K]> }

/** A contract as the steps of a saga see it: what may be asked again can be called, the rest says why not. */
type SagaClient<C extends AnyContract> = {
  readonly [O in keyof C['operations'] & string]: C['operations'][O] extends { readonly idempotent: 'no' }
    ? NotIdempotent<`${O} is not idempotent, and a step may be repeated: declare it 'natural' or 'key'`>
    : Client<C, 'derived'>[O]
}

/** Cannot be called; its type says why. */
interface NotIdempotent<Why extends string> {
  readonly why: Why
}

/**
 * Ends the step with a failure that is certain: before the pivot the saga is undone, this step included if it has called
 * anybody; after the pivot the saga is stuck. It throws, so it may stand anywhere in an expression.
 */
type FailStep = (code: string, detail?: string) => never

/** What the `run` of a step may use. */
export interface StepArgs<Event, U extends SagaUses, R extends Results> {
  /** What started the saga. */
  readonly event: Event
  readonly results: R
  /** Only operations that are idempotent; keys are made by the saga. */
  readonly call: Calls<U>
  /** The same at each repetition of this step. */
  readonly key: string
  /** A UUID that is the same at each repetition of this step. */
  readonly newId: () => string
  readonly now: () => number
  readonly signal: AbortSignal
  readonly fail: FailStep
}

/** What the `undo` of a step may use: no results, because after a time-out nobody knows them. */
export type UndoArgs<Event, U extends SagaUses> = Omit<StepArgs<Event, U, never>, 'results' | 'fail'>

/** What a step that writes into the owner's own database may use. */
// oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service that runs the saga
export interface WriteArgs<Event, R extends Results, Tables = any> {
  readonly event: Event
  readonly results: R
  readonly tx: Tx<Tables>
  readonly newId: () => string
  readonly now: () => number
  readonly fail: FailStep
}

/** Why a saga is undone. */
export interface Failure {
  /** The step that failed. */
  readonly step: string
  /** Code of the error; `timed_out` after a wait or a step's time, `cancelled` by an operator or the service. */
  readonly code: string
  /** At most 1,000 characters. */
  readonly detail: string | undefined
  /** Of the callee's declared error, as JSON gives them back; `undefined` where they have more than 8,192 bytes. */
  readonly details: unknown
}

/** How a step is kept at. */
export interface StepOptions {
  /** How long to repeat it while nobody knows whether it worked; default 60,000. Then it is undone with the others. */
  readonly timeoutMs?: number
}

/** A step that calls others, and what takes it back. */
export interface Step<Event, U extends SagaUses, R extends Results, Result> extends StepOptions {
  readonly run: (args: StepArgs<Event, U, R>) => Promise<Result>
  /** Takes back what `run` did, or makes sure that it never happens. Works by business key. */
  readonly undo?: (args: UndoArgs<Event, U>) => Promise<unknown>
}

/** The step after which there is no way back, so it has no undo. */
export type PivotStep<Event, U extends SagaUses, R extends Results, Result> = Pick<Step<Event, U, R, Result>, 'run'>

/** Steps that are done in order, or taken back in the opposite order. Each method gives a new, longer saga. */
export interface Saga<Event, U extends SagaUses, R extends Results = Readonly<Record<never, never>>>
  extends SagaDefinition {
  /** Calls others. Its result is kept for later steps. */
  step<const Name extends string, Result>(
    name: Name,
    step: Step<Event, U, R, Result>,
  ): Saga<Event, U, R & { readonly [K in Name]: Awaited<Result> }>
  /** The step after which there is no way back: a declared failure of it undoes, an unknown outcome is repeated until it is known. */
  pivot<const Name extends string, Result>(
    name: Name,
    step: PivotStep<Event, U, R, Result>,
  ): Saga<Event, U, R & { readonly [K in Name]: Awaited<Result> }>
  /** Waits for an event whose key is the saga's. Its payload becomes the result. */
  waitFor<const Name extends string, E extends ContractEvent>(
    name: Name,
    event: E,
    options: { readonly timeoutMs: number },
  ): Saga<Event, U, R & { readonly [K in Name]: EventOf<E> }>
  /** Writes into the owner's database, in the transaction of the journal. */
  write<const Name extends string, Result = void>(
    name: Name,
    write: (args: WriteArgs<Event, R>) => Promise<Result>,
    options?: { readonly undo?: (args: Omit<WriteArgs<Event, R>, 'results' | 'fail'>) => Promise<unknown> },
  ): Saga<Event, U, R & { readonly [K in Name]: Awaited<Result> }>
  /** Written when everything has been taken back, in the transaction that ends the saga. */
  whenUndone(
    write: (args: Omit<WriteArgs<Event, R>, 'results' | 'fail'> & { readonly failure: Failure }) => Promise<unknown>,
  ): Saga<Event, U, R>
  /**
   * Starts an instance from a transaction of its owner, as its event would. A key that has had its instance starts none.
   * @example await checkout.start(tx, order)
   */
  start(tx: AnyTx, event: Event): Promise<{ readonly started: boolean }>
  /**
   * Asks for an instance to be undone, in a transaction of its owner. Nothing is undone behind the pivot: which of both was
   * first is decided in the database, and told here.
   * @example if ((await checkout.cancel(tx, order.id, 'the customer asked for it')) === 'past_pivot') return fail('too_late')
   */
  cancel(tx: AnyTx, key: string, reason: string): Promise<Cancelled>
}

// oxlint-disable-next-line typescript/no-explicit-any -- the tables are those of the service that runs the saga
type AnyTx = Tx<any>

/**
 * What became of the wish to cancel. `undoing`: it is being undone, now or since before. `past_pivot`: there is no way
 * back. `ended`: it is done or undone. `before_start`: there is none, and one that starts within seven days is undone at once.
 */
export type Cancelled = 'undoing' | 'past_pivot' | 'ended' | 'before_start'

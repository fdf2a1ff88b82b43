import type { z } from 'zod'
import type { AnyContract } from '../contract/contract.ts'
import type {
  AnyOperation,
  ErrorCodeOf,
  InputOf,
  HasReplies,
  ParsedOutputOf,
  RepliesOf,
  Schema,
} from '../contract/operation.ts'
import type { CallError, Retry } from './call-error.ts'
import type { DetailsOf } from '../contract/problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'

/** How one call is made. */
export interface CallOptions {
  /** Shortens the operation's own time limit; never lengthens what is left of the caller's. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Idempotency key, at most 255 characters. */
  readonly key?: string
}

/** Who makes the keys of calls: whoever calls, or the once-only work on whose behalf the call is made. */
export type Keys = 'given' | 'derived'

type OptionsFor<Op extends AnyOperation, K extends Keys> = Op['idempotent'] extends 'key'
  ? K extends 'derived'
    ? [options?: CallOptions]
    : [options: CallOptions & { readonly key: string }]
  : [options?: CallOptions]

/** What a successful call gives: the output; where the operation has several success replies, which one it is, too. */
export type AnswerOf<Op extends AnyOperation> =
  HasReplies<Op> extends false
    ? ParsedOutputOf<Op>
    :
        | {
            [Status in keyof RepliesOf<Op>]: { readonly status: Status; readonly body: BodyOf<RepliesOf<Op>[Status]> }
          }[keyof RepliesOf<Op>]
        | (Op['output'] extends z.ZodVoid | undefined
            ? never
            : { readonly status: 200 | 201; readonly body: ParsedOutputOf<Op> })

type BodyOf<S> = S extends Schema ? z.output<S> : never

/** What is known of a failed call: which code, and what goes with it. */
export type CallFailure<Op extends AnyOperation> =
  | {
      [C in ErrorCodeOf<Op>]: {
        readonly code: C
        readonly declared: true
        readonly details: DetailsOf<Op['errors'][C]>
      } & FailureRest
    }[ErrorCodeOf<Op>]
  | ({ readonly code: PlatformCode; readonly declared: false; readonly details?: undefined } & FailureRest)

interface FailureRest {
  readonly status: number
  readonly retry: Retry
  readonly detail: string | undefined
  readonly traceId: string | undefined
  /** Milliseconds after which asking again may help; `undefined`: the callee did not say. */
  readonly retryAfterMs: number | undefined
}

/** What `.try(...)` answers: the value, or the error that the call would have thrown. */
export type Result<Op extends AnyOperation> =
  | { readonly ok: true; readonly value: AnswerOf<Op> }
  /** Throwing `error` passes the failure on, the same as if the operation had been called without `.try`. */
  | { readonly ok: false; readonly error: CallError & CallFailure<Op> }

/** One operation as its callers see it. */
export interface ClientOperation<Op extends AnyOperation, K extends Keys = 'given'> {
  /** @throws CallError */
  (input: InputOf<Op>, ...options: OptionsFor<Op, K>): Promise<AnswerOf<Op>>
  /** The same without an exception: a result union with typed codes. */
  try(input: InputOf<Op>, ...options: OptionsFor<Op, K>): Promise<Result<Op>>
}

/** A contract as its callers see it: `call.orders.find({ id })`. */
export type Client<C extends AnyContract, K extends Keys = 'given'> = {
  readonly [O in keyof C['operations'] & string]: ClientOperation<C['operations'][O], K>
}

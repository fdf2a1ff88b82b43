import type { z } from 'zod'
import type { Access } from './access.ts'
import type { ErrorMap } from './problem.ts'

/** What a wire type is written in. JSON on the wire; the published JSON Schema decides, see `json-schema.ts`. */
export type Schema = z.ZodType

/** Input is one flat object; an operation without input takes `{}`. */
export type InputSchema = z.ZodObject

/** The HTTP methods that an operation can be bound to; HEAD is answered wherever GET is. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * How often an operation may be asked without a second effect.
 * `'natural'`: asking again changes nothing more (all of get, put, del and query unless said otherwise).
 * `'key'`: the caller must send a key; the same key is the same request.
 * `'no'`: asking again may have a second effect.
 */
export type Idempotency = 'natural' | 'key' | 'no'

/** Replies `Deprecation`, `Sunset` and `Link`, and 410 after the sunset. Dates are ISO 8601 (`2027-01-31`). */
export interface Deprecation {
  readonly on: string
  readonly sunset?: string
  /** The operation or page to use instead. */
  readonly use?: string
}

/** One example of an operation, checked against its schemas when the contract is defined. */
export interface Example {
  readonly summary?: string
  readonly input?: unknown
  readonly output?: unknown
}

/** The REST address of an operation. `path` has `{field}` for each input field that comes from the path. */
export interface RestBinding {
  readonly method: HttpMethod
  readonly path: string
}

/** Further success replies by status. */
export type ReplyMap = Readonly<Record<number, Schema>>

/** One operation of a contract, as data. Made by `get`, `post`, `put`, `patch`, `del`, `command` and `query`. */
export interface Operation<
  In extends InputSchema = InputSchema,
  Out extends Schema = Schema,
  Errors extends ErrorMap = ErrorMap,
  Idem extends Idempotency = Idempotency,
  Replies extends ReplyMap = ReplyMap,
> {
  /** `undefined`: no route; services may call it, the gateway cannot expose it. */
  readonly rest: RestBinding | undefined
  readonly summary: string | undefined
  readonly description: string | undefined
  readonly input: In
  /** `undefined` at run time when there is no output: 204. The type is then `z.ZodVoid`. */
  readonly output: Out | undefined
  /** Success status: 200, 201 for `created`, 204 without output. */
  readonly status: number
  /** Further success replies by status; the handler then returns `reply(status, body)`. */
  readonly responses: Replies | undefined
  readonly errors: Errors
  /** `undefined`: cannot be exposed by a gateway. */
  readonly access: Access | undefined
  readonly idempotent: Idem
  /** Input field -> header name. */
  readonly headers: Readonly<Record<string, string>>
  /** The input field that is the whole body; `undefined`: the body is the object of the remaining fields. */
  readonly body: string | undefined
  /** How long a call may take when the caller does not say. */
  readonly timeoutMs: number
  /** Largest body accepted for this operation. */
  readonly bodyMaxBytes: number
  readonly deprecated: Deprecation | undefined
  readonly examples: readonly Example[]
  readonly tags: readonly string[]
}

/** Any operation, whatever it takes, gives and fails with. */
// oxlint-disable-next-line typescript/no-explicit-any -- the one place that says "any operation" to the type system
export type AnyOperation = Operation<any, any, any, any, any>

/** What a caller writes for an operation's input: the wire form, defaults left out. */
export type InputOf<Op extends AnyOperation> = z.input<Op['input']>
/** What a handler reads: parsed, defaults applied, codecs decoded. */
export type ParsedInputOf<Op extends AnyOperation> = z.output<Op['input']>
/** What a handler returns: the wire form. */
export type OutputOf<Op extends AnyOperation> = z.input<NonNullable<Op['output']>>
/** What a caller reads. */
export type ParsedOutputOf<Op extends AnyOperation> = z.output<NonNullable<Op['output']>>
/** The declared error codes of an operation. */
export type ErrorCodeOf<Op extends AnyOperation> = keyof Op['errors'] & string
/** The further success replies of an operation, by status. */
export type RepliesOf<Op extends AnyOperation> = NonNullable<Op['responses']>
/** Whether an operation names success replies by status; `false` also for an operation whose type is not known. */
export type HasReplies<Op extends AnyOperation> = [keyof RepliesOf<Op>] extends [never]
  ? false
  : number extends keyof RepliesOf<Op>
    ? false
    : true

import { z } from 'zod'
import type { Access } from './access.ts'
import type {
  AnyOperation,
  Deprecation,
  Example,
  HttpMethod,
  Idempotency,
  InputSchema,
  Operation,
  ReplyMap,
  Schema,
} from './operation.ts'
import type { ErrorMap } from './problem.ts'

/** The `{fields}` of a path template. */
export type PathFields<Path extends string> = Path extends `${string}{${infer Field}}${infer Rest}`
  ? Field | PathFields<Rest>
  : never

// By the shape: `keyof z.input` of an empty object is `string`.
type FieldOf<In extends InputSchema> = keyof In['shape'] & string
type Missing<Path extends string, In extends InputSchema> = Exclude<PathFields<Path>, FieldOf<In>>

/** Accepts a path whose fields are all in the input; otherwise the parameter's type is a sentence that says what is wrong. */
export type CheckedPath<Path extends string, In extends InputSchema> = [Missing<Path, In>] extends [never]
  ? Path
  : `{${Missing<Path, In>}} is in the path but not in the input`

export interface OperationSpec<
  In extends InputSchema,
  Out extends Schema,
  Errors extends ErrorMap,
  Idem extends Idempotency,
  Replies extends ReplyMap = ReplyMap,
> {
  readonly summary?: string
  readonly description?: string
  readonly input?: In
  readonly output?: Out
  /** Answer 201 instead of 200. */
  readonly created?: boolean
  readonly responses?: Replies
  readonly errors?: Errors
  readonly access?: Access
  readonly idempotent?: Idem
  /** Input field -> the header that carries it. */
  readonly headers?: { readonly [K in FieldOf<In>]?: string }
  /** The input field that is the whole body. */
  readonly body?: FieldOf<In>
  /** How long a call may take when the caller does not say: 1..3,600,000, default 10,000. */
  readonly timeoutMs?: number
  /** Largest body accepted: 0..1,073,741,824, default 1,048,576 (1 MiB). */
  readonly bodyMaxBytes?: number
  readonly deprecated?: Deprecation
  readonly examples?: readonly Example[]
  readonly tags?: readonly string[]
}

type Empty = z.ZodObject<Record<never, never>>
type NoErrors = Record<never, never>
type NoReplies = Record<never, never>

/**
 * What stands around the definition (a contract, which takes any operation) must not fill in what the definition leaves
 * out: the defaults do. Type parameters inside a condition are not inferred from the place of use.
 */
type Made<In, Out, Errors, Idem, Replies> = [In, Out, Errors, Idem, Replies] extends [
  infer I extends InputSchema,
  infer O extends Schema,
  infer E extends ErrorMap,
  infer D extends Idempotency,
  infer R extends ReplyMap,
]
  ? Operation<I, O, E, D, R>
  : never

function define(
  rest: AnyOperation['rest'],
  spec: OperationSpec<InputSchema, Schema, ErrorMap, Idempotency>,
  idempotent: Idempotency,
): AnyOperation {
  return {
    rest,
    summary: spec.summary,
    description: spec.description,
    input: spec.input ?? z.object({}),
    output: spec.output,
    status: spec.created === true ? 201 : spec.output === undefined && spec.responses === undefined ? 204 : 200,
    responses: spec.responses,
    errors: spec.errors ?? {},
    access: spec.access,
    idempotent: spec.idempotent ?? idempotent,
    headers: (spec.headers ?? {}) as Record<string, string>,
    body: spec.body,
    timeoutMs: spec.timeoutMs ?? 10_000,
    bodyMaxBytes: spec.bodyMaxBytes ?? 1_048_576,
    deprecated: spec.deprecated,
    examples: spec.examples ?? [],
    tags: spec.tags ?? [],
  }
}

function restOperation<Default extends Idempotency>(method: HttpMethod, byDefault: Default) {
  return <
    const Path extends string,
    In extends InputSchema = Empty,
    Out extends Schema = z.ZodVoid,
    Errors extends ErrorMap = NoErrors,
    Idem extends Idempotency = Default,
    Replies extends ReplyMap = NoReplies,
  >(
    path: CheckedPath<Path, In>,
    spec: OperationSpec<In, Out, Errors, Idem, Replies>,
  ): Made<In, Out, Errors, Idem, Replies> => define({ method, path }, spec as never, byDefault) as never
}

/**
 * Reads something. Fields that are not in the path or a header come from the query; repeating it changes nothing.
 * @param path template with `{field}` for each input field that comes from the path
 * @throws ContractError when `contract()` finds something wrong with it
 * @example get('/orders/{id}', { input: z.object({ id: z.uuid() }), output: Order, errors: { order_not_found: problem(404) } })
 */
export const get = restOperation('GET', 'natural')
/**
 * Makes or does something. Fields that are not in the path or a header come from the JSON body. A repetition may have a
 * second effect unless `idempotent` says otherwise.
 * @example post('/orders', { input: z.object({ note: z.string() }), output: Order, created: true, idempotent: 'key' })
 */
export const post = restOperation('POST', 'no')
/**
 * Sets something to what is sent; repeating it changes nothing more.
 * @example put('/cart/items/{sku}', { input: z.object({ sku: z.string(), quantity: z.int().min(1) }), output: Cart })
 */
export const put = restOperation('PUT', 'natural')
/**
 * Changes a part of something.
 * @example patch('/orders/{id}', { input: z.object({ id: z.uuid(), note: z.string() }), output: Order })
 */
export const patch = restOperation('PATCH', 'no')
/**
 * Removes something; repeating it changes nothing more. Other fields come from the query.
 * @example del('/cart/items/{sku}', { input: z.object({ sku: z.string() }) })
 */
export const del = restOperation('DELETE', 'natural')

function internalOperation<Default extends Idempotency>(byDefault: Default) {
  return <
    In extends InputSchema = Empty,
    Out extends Schema = z.ZodVoid,
    Errors extends ErrorMap = NoErrors,
    Idem extends Idempotency = Default,
    Replies extends ReplyMap = NoReplies,
  >(
    spec: OperationSpec<In, Out, Errors, Idem, Replies>,
  ): Made<In, Out, Errors, Idem, Replies> => define(undefined, spec as never, byDefault) as never
}

/**
 * An operation without a route that changes something: services may call it, the gateway cannot expose it.
 * @example command({ input: z.object({ id: z.uuid() }), idempotent: 'natural' })
 */
export const command = internalOperation('no')
/**
 * An operation without a route that only reads.
 * @example query({ input: z.object({ sku: z.string() }), output: Stock })
 */
export const query = internalOperation('natural')

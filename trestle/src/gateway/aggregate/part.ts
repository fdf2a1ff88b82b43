import type { z } from 'zod'
import type { Caller } from '../../call/caller.ts'
import type { Bound } from '../../contract/contract.ts'
import type { AnyOperation, InputOf, OutputOf, ParsedOutputOf } from '../../contract/operation.ts'

/** An operation of a contract, as it is found in `contract.operations`. */
export type PartOperation = Bound<AnyOperation, string>

/** What a part's input is made from, besides what it reads. `Input`: what the aggregate's operation was asked with. */
export interface PartRequest<Input = unknown> {
  readonly input: Input
  readonly caller: Caller
}

/** One call of an aggregate, as data. */
export interface Part<
  Op extends PartOperation = PartOperation,
  Required extends boolean = boolean,
  // oxlint-disable-next-line typescript/no-explicit-any -- a part of whatever aggregate
  Input = any,
> {
  readonly kind: 'part'
  readonly operation: Op
  /** The parts whose outputs it is told. */
  readonly reads: readonly AnyPart[]
  /** Makes its input, once what it reads is there. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the outputs of `reads`; `part` types them where they are read
  readonly input: (request: PartRequest<Input>, ...read: any[]) => InputOf<Op>
  readonly required: Required
  /** Shortens the operation's own; `undefined`: that alone. */
  readonly timeoutMs: number | undefined
}

/** Any part, whatever it calls and is made from. */
// oxlint-disable-next-line typescript/no-explicit-any -- the one place that says "any part" to the type system
export type AnyPart = Part<any, boolean, any>

/** What a part gives to those that read it: an optional one may be `null`. */
export type ReadOf<P extends AnyPart> =
  P extends Part<infer Op, infer Required> ? ParsedOutputOf<Op> | (Required extends true ? never : null) : never

/** What a part is in the reply, as its service writes it. */
export type WrittenOf<P extends AnyPart> =
  P extends Part<infer Op, infer Required> ? OutputOf<Op> | (Required extends true ? never : null) : never

type ReadAll<Parts extends readonly AnyPart[]> = { [At in keyof Parts]: ReadOf<Parts[At]> }

/** Only operations with one JSON reply can be parts. */
type WithOutput<Op extends PartOperation> = Op['output'] extends z.ZodVoid | undefined
  ? 'this operation has no output to put into a reply'
  : Op

/**
 * One call of an aggregate. Its input is made from the request, and from the outputs of the parts that it reads; it is
 * asked as soon as these are there, in the caller's name.
 * @param reads parts of the same aggregate
 * @example
 * const cart = part(carts.operations.mine, () => ({}))
 * const advice = part(recommendations.operations.forCart, [cart], (_, mine) => ({ skus: mine.lines.map(({ sku }) => sku) }))
 */
export function part<const Op extends PartOperation, Input = unknown>(
  operation: Op & WithOutput<Op>,
  input: (request: PartRequest<Input>) => InputOf<Op>,
): Part<Op, true, Input>
export function part<const Op extends PartOperation, const Reads extends readonly AnyPart[], Input = unknown>(
  operation: Op & WithOutput<Op>,
  reads: Reads,
  input: (request: PartRequest<Input>, ...read: ReadAll<Reads>) => InputOf<Op>,
): Part<Op, true, Input>
export function part(
  operation: PartOperation,
  readsOrInput: readonly AnyPart[] | AnyPart['input'],
  input?: AnyPart['input'],
): AnyPart {
  const [reads, make] = typeof readsOrInput === 'function' ? [[], readsOrInput] : [readsOrInput, input]
  if (make === undefined) throw new TypeError(`part(${labelOf(operation)}): says no input; write () => ({}) for none`)
  return { kind: 'part', operation, reads, input: make, required: true, timeoutMs: undefined }
}

/** How long an optional part may take. */
export interface OptionalOptions {
  /** 1..3,600,000; default: the operation's own. */
  readonly timeoutMs?: number
}

/**
 * A part whose failure does not fail the reply: it is then `null`, and the reply says which parts are missing and why.
 * @throws RangeError for a time that is none
 * @example optional(part(recommendations.operations.forUser, ({ caller }) => ({ userId: caller.id })), { timeoutMs: 150 })
 */
export function optional<Op extends PartOperation, Input>(
  required: Part<Op, true, Input>,
  { timeoutMs }: OptionalOptions = {},
): Part<Op, false, Input> {
  if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs <= 3_600_000)) {
    throw new RangeError(`optional(${labelOf(required.operation)}): timeoutMs is from 1 to 3,600,000, not ${timeoutMs}`)
  }
  return { ...required, required: false, timeoutMs }
}

/** `carts.mine` */
export function labelOf(operation: PartOperation): string {
  return `${operation.contract.name}.${operation.name}`
}

import type { Caller } from './caller.ts'
import type { RestInput } from '../contract/rest-input.ts'
import type { Problem } from './problem.ts'
import type { TraceContext } from '../std/trace-context.ts'

/**
 * What is asked, in one of the two forms in which it reaches a callee. `value`: the flat input as the caller wrote it.
 * `rest`: a request from the edge, not yet parsed; the callee binds and validates it once, wherever it runs.
 */
export type CallInput = { readonly kind: 'value'; readonly value: unknown } | ({ readonly kind: 'rest' } & RestInput)

/** One request to one operation, before it is known where the callee runs. */
export interface Call {
  /** `name@major` of the contract. */
  readonly contract: string
  readonly operation: string
  readonly input: CallInput
  /** `bytes`: the caller passes the reply on and wants its serialised form. */
  readonly want: 'value' | 'bytes'
  /** On the clock's `monotonic()` scale of this process. Whoever receives a call keeps it by itself. */
  readonly deadlineMs: number
  /** Aborts when nobody waits for the reply any more: the caller cancelled, went away, or its deadline passed. */
  readonly signal: AbortSignal
  readonly caller: Caller
  /** The service (or `gateway`, `operator`) that calls: what `uses` is checked against. */
  readonly from: string
  readonly trace: TraceContext
  /** Idempotency key. */
  readonly key: string | undefined
  /**
   * Key of earlier work of the same caller that this call undoes: of the calls which that work made, under keys derived
   * from this one, none may have an effect any more, however late it arrives.
   */
  readonly cancels?: string
}

/** What is asked, as problems and logs name it: `orders.place`. */
export function labelOf({ contract, operation }: Pick<Call, 'contract' | 'operation'>): string {
  return `${contract.slice(0, contract.lastIndexOf('@'))}.${operation}`
}

/** What comes back. `failed` replies are data: only the typed client turns them into an exception. */
export type Reply =
  | {
      readonly ok: true
      readonly status: number
      readonly body: ReplyBody
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly ok: false; readonly problem: Problem }

/**
 * `value`: a copy of its own, already what the caller reads. `bytes`: the serialised wire form; whoever wants a value
 * parses it and passes it through the contract's output schema, which the typed client does.
 */
export type ReplyBody =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly contentType: string }
  | { readonly kind: 'empty' }

export type Handle = (call: Call) => Promise<Reply>

/** Advice around a call: authorisation, limits, retries, tracing are all of this one shape. */
export type Interceptor = (call: Call, next: Handle) => Promise<Reply>

/** Composes a chain once, at start; the first interceptor is the outermost. */
export function chain(interceptors: readonly Interceptor[], last: Handle): Handle {
  return interceptors.reduceRight<Handle>((next, interceptor) => (call) => interceptor(call, next), last)
}

/** How a call crosses a boundary. Never rejects: what fails is a reply with a problem. */
export interface Transport {
  send(call: Call): Promise<Reply>
  close(): Promise<void>
}

import type { Caller } from './caller.ts'
import type { TraceContext } from '../std/trace-context.ts'

/** The request on whose behalf calls are made: what travels on with each of them. */
export interface CallContext {
  readonly caller: Caller
  /** The span that becomes the parent of each call's span. */
  readonly trace: TraceContext
  /** On the clock's `monotonic()` scale; no call outlives it. */
  readonly deadlineMs?: number
  /** Cancels every call that is running. */
  readonly signal?: AbortSignal
}

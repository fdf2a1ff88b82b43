import type { Caller } from './caller.ts'
import type { OnceScope } from './once-scope.ts'
import type { TraceContext } from '../std/trace-context.ts'

/** What the work on one request may have changed so far. */
export interface Effects {
  /** A call was sent, or something was written. */
  possible: boolean
  /** Transactions and single writes that run right now. */
  running: number
}

/** The request on whose behalf calls are made: what travels on with each of them. */
export interface CallContext {
  readonly caller: Caller
  /** The span that becomes the parent of each call's span. */
  readonly trace: TraceContext
  /** On the clock's `monotonic()` scale; no call outlives it. */
  readonly deadlineMs?: number
  /** Cancels every call that is running. */
  readonly signal?: AbortSignal
  /** Noted when a call is sent. */
  readonly effects?: Effects
  /** The once-only work that calls; its calls get derived keys. */
  readonly once?: OnceScope
}

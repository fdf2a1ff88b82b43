import type { Caller } from '../../call/caller.ts'
import type { TraceContext } from '../../std/trace-context.ts'
import type { Headers, HttpRequest } from '../../http/message.ts'

/** A request in the one form that everything behind the front door uses. */
export interface EdgeRequest {
  readonly http: HttpRequest
  readonly requestId: string
  readonly trace: TraceContext
  readonly clientAddress: string
  readonly headers: Headers
  /** Canonical. */
  readonly path: string
  /** Raw, without `?`. */
  readonly query: string
  /** Values of the route's fields in their order, percent-decoded. */
  readonly values: readonly string[]
  readonly caller: Caller
}

/** What the log and the measurements learn of a request while it is answered. */
export interface RequestNotes {
  path: string | undefined
  route: string | undefined
  operation: string | undefined
  caller: Caller
  clientAddress: string
  code: string | undefined
  bytesIn: number
}

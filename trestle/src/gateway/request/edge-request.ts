import type { Caller } from '../../call/caller.ts'
import type { Headers, HttpRequest } from '../../http/message.ts'
import type { TraceContext } from '../../std/trace-context.ts'

/** A request in the one form that everything behind the front door uses. */
export interface EdgeRequest {
  readonly http: HttpRequest
  readonly requestId: string
  readonly trace: TraceContext
  readonly clientAddress: string
  /** Lower case, without the port; empty when the request names none. */
  readonly host: string
  /** Cleared of what only a trusted proxy may say; authentication takes the credential out of them. */
  headers: Headers
  /** Canonical. */
  readonly path: string
  /** Raw, without `?`; authentication takes the credential out of it. */
  query: string
  /** Values of the route's fields in their order, percent-decoded; of a catch-all as it stands in the path. */
  readonly values: readonly string[]
  /** Anonymous until authentication. */
  caller: Caller
  /** Added to the reply, whatever becomes of the request. */
  readonly replyHeaders: [name: string, value: string][]
  readonly notes: RequestNotes
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
  /** Which upstream or instance answered. */
  upstream: string | undefined
  /** Said by a cache that answered in place of what is behind it: it may count differently against a quota. */
  cached?: boolean
  /** Units of a quota that the request takes if its reply counts; none before it is let in. */
  units?: number
}

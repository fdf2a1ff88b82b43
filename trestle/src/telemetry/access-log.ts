/** One answered request, as it is logged. Never a query, a body, or a credential. Refused before it was read: method `-`. */
export interface AccessRecord {
  readonly method: string
  /** Canonical path without the query; `undefined` when it had no canonical form. */
  readonly path: string | undefined
  /** Template of the matched route. */
  readonly route: string | undefined
  /** `orders.place` */
  readonly operation: string | undefined
  /** Target that was asked last, where the route is an upstream. */
  readonly upstream?: string | undefined
  readonly status: number
  /** Code of the problem, if it was one. */
  readonly code: string | undefined
  /** From the head of the request until its reply is ready; the time to send it is not in it. */
  readonly durationMs: number
  readonly requestId: string
  readonly traceId: string
  readonly callerKind: string
  readonly callerId: string
  readonly remoteAddress: string
  readonly bytesIn: number
  /** Of a body that streams: what it announces, else 0. */
  readonly bytesOut: number
}

/** Where access records go. */
export type AccessLog = (record: AccessRecord) => void

const longestPath = 1_024

/** Writes access records to a log, one line each. */
export function accessLog(log: { info(fields: Readonly<Record<string, unknown>>, message: string): void }): AccessLog {
  return (record) => {
    const { path } = record
    const short = path !== undefined && path.length > longestPath ? { path: `${path.slice(0, longestPath)}...` } : {}
    log.info({ ...record, durationMs: Math.round(record.durationMs * 100) / 100, ...short }, 'request')
  }
}

import { uuidv7 } from '../../std/ids.ts'
import { childSpan, newTrace, parseTraceparent, type TraceContext } from '../../std/trace-context.ts'
import type { Headers } from '../../http/message.ts'

/** By what a request is found again in logs and traces. */
export interface RequestIdentity {
  readonly requestId: string
  /** The span of the gateway's own work. */
  readonly trace: TraceContext
}

const safe = /^[A-Za-z0-9._:-]{1,128}$/

/** The client's own request id and trace when they have a safe form, else new ones. */
export function identify(headers: Headers, nowMs: number): RequestIdentity {
  const given = headers.get('x-request-id')
  const parent = parseTraceparent(headers.get('traceparent'), headers.get('tracestate'))
  return {
    requestId: given !== undefined && safe.test(given) ? given : uuidv7(nowMs),
    trace: parent === undefined ? newTrace() : childSpan(parent),
  }
}

import { anonymous } from '../call/caller.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { AccessRecord } from '../telemetry/access-log.ts'
import type { RequestNotes } from './request/edge-request.ts'
import type { RequestIdentity } from './request/request-identity.ts'

/** What is logged of a request that was answered. */
export function answeredRecord(
  http: HttpRequest,
  response: HttpResponse,
  { requestId, trace }: RequestIdentity,
  notes: RequestNotes,
  durationMs: number,
): AccessRecord {
  const { path, route, operation, upstream, caller, clientAddress, code, bytesIn } = notes
  return {
    method: http.method,
    path,
    route,
    operation,
    upstream,
    status: response.status,
    code,
    durationMs,
    requestId,
    traceId: trace.traceId,
    callerKind: caller.kind,
    callerId: caller.id,
    remoteAddress: clientAddress,
    bytesIn,
    bytesOut: bytesOf(response),
  }
}

function bytesOf({ body, headers }: HttpResponse): number {
  if (body === undefined) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  return Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
}

/** Of a request that was not understood nothing is known but who sent it. */
export function refusedRecord(
  code: string,
  status: number,
  remoteAddress: string,
  { requestId, trace }: RequestIdentity,
): AccessRecord {
  return {
    method: '-',
    path: undefined,
    route: undefined,
    operation: undefined,
    status,
    code,
    durationMs: 0,
    requestId,
    traceId: trace.traceId,
    callerKind: anonymous.kind,
    callerId: anonymous.id,
    remoteAddress,
    bytesIn: 0,
    bytesOut: 0,
  }
}

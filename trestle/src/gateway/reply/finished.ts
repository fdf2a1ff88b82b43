import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import type { RequestNotes } from '../request/edge-request.ts'
import type { RequestIdentity } from '../request/request-identity.ts'

/** By what a reply is found again. */
export function idsOf({ requestId, trace }: RequestIdentity): HeaderFields {
  return [
    ['X-Request-Id', requestId],
    ['Trestle-Trace-Id', trace.traceId],
  ]
}

/** What every reply says, whatever it is. */
export function finished(
  response: HttpResponse,
  identity: RequestIdentity,
  caller: RequestNotes['caller'],
  more: HeaderFields,
): HttpResponse {
  const headers: (readonly [string, string])[] = [
    ...response.headers,
    ...more,
    ...idsOf(identity),
    ['X-Content-Type-Options', 'nosniff'],
  ]
  if (caller.kind !== 'anonymous' && !hasHeader(response.headers, 'cache-control')) {
    headers.push(['Cache-Control', 'no-store'])
  }
  return { ...response, headers }
}

function hasHeader(headers: HeaderFields, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name)
}

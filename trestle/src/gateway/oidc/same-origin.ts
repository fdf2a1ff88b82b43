import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * A cookie comes with whatever page made the browser ask: what changes something must come from a page of ours.
 * Source: the fetch metadata of browsers, and `Origin` (RFC 6454) where they do not send it.
 * @throws Refused 403
 */
export function checkSameOrigin({ http, headers }: EdgeRequest, own: string, others: readonly string[]): void {
  if (safe.has(http.method)) return
  const origin = headers.get('origin')
  if (origin !== undefined && others.includes(origin)) return
  const site = headers.get('sec-fetch-site')
  if (site === undefined ? origin === own : site === 'same-origin' && (origin === undefined || origin === own)) return
  throw refused('forbidden', {
    detail: 'With a session, a request that changes something must come from the same origin',
  })
}

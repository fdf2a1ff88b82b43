import { hash } from 'node:crypto'
import { headersFrom } from '../../http/header-list.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { CacheSpec } from './cache.ts'

/** Under what a reply to a request is stored, and the request that it answers for all who share it. */
export interface CacheableRequest {
  /** Written as a list, so that no two different requests have the same one, whatever is in their parts; or its hash. */
  readonly key: string
  /** The part that a change empties: all that is stored of one path. */
  readonly pathKey: string
  /** Says nothing that is not in the key. */
  readonly request: EdgeRequest
}

/** Set by the gateway itself for every request. */
const rebuilt = new Set(['host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
/** What clients and browsers say of themselves: it is left out, so that no stored reply can depend on it. */
const ignored =
  /^(?:user-agent|referer|from|dnt|priority|te|save-data|upgrade-insecure-requests|sec-.+|accept-charset|cache-control|pragma|if-none-match|if-modified-since|x-request-id|traceparent|tracestate|baggage|content-length|content-type)$/

/**
 * The request as the cache sees it. A text instead: the field because of which it passes by the cache; what is not in the
 * key cannot poison what is stored, because it never reaches whoever makes it.
 */
export function cacheableRequest(request: EdgeRequest, spec: CacheSpec): CacheableRequest | string {
  const { headers, caller, query, http } = request
  if (http.body.present) return 'body'
  const credentialed = caller.kind !== 'anonymous' || headers.has('authorization')
  if (credentialed && !spec.allowAuthorization) return 'authorization'
  const kept: string[] = []
  for (const [name, value] of headers.entries()) {
    if (rebuilt.has(name) || spec.vary.includes(name) || name === 'authorization') kept.push(name, value)
    else if (!ignored.test(name)) return name
  }
  const pathKey = pathKeyOf(request)
  const who = credentialed
    ? [caller.kind, caller.id, caller.tenant, caller.plan, caller.scopes, headers.getAll('authorization')]
    : []
  const key = bounded(JSON.stringify([pathKey, query, who, spec.vary.map((name) => headers.getAll(name))]))
  return { key, pathKey, request: detached(request, kept) }
}

/** Longer keys are hashed: what could not be stored is remembered by its key, and would fill the memory. */
const keyMaxLength = 1_024

function bounded(key: string): string {
  return key.length <= keyMaxLength ? key : hash('sha256', key, 'base64url')
}

/**
 * Where a path is: as the gateway itself says it, with the port that the client named; and under which host it is looked up
 * here, which behind a proxy may be another one.
 */
export function pathKeyOf({ headers, path }: Pick<EdgeRequest, 'headers' | 'path'>): string {
  const [seen, host] = [headers.get('x-forwarded-host'), headers.get('host')]
  return JSON.stringify([headers.get('x-forwarded-proto'), seen?.toLowerCase(), host?.toLowerCase(), path])
}

/** Stays under way when the client goes: others may wait for the same reply. */
function detached(request: EdgeRequest, fields: readonly string[]): EdgeRequest {
  const { method, target, headers, body, remoteAddress, encrypted } = request.http
  const { signal } = new AbortController()
  return {
    ...request,
    http: { method, target, headers, body, remoteAddress, encrypted, signal },
    headers: headersFrom(fields),
    replyHeaders: [],
    notes: { ...request.notes },
  }
}

/** The same request, which asks whether what is stored still holds. Source: RFC 9111, section 4.3.1. */
export function conditional(
  request: EdgeRequest,
  { etag, lastModified }: { readonly etag: string | undefined; readonly lastModified: string | undefined },
): EdgeRequest {
  const fields = [...request.headers.entries()].flat()
  if (etag !== undefined) fields.push('if-none-match', etag)
  if (lastModified !== undefined) fields.push('if-modified-since', lastModified)
  return { ...request, headers: headersFrom(fields) }
}

import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import { headersFrom } from '../../http/header-list.ts'
import type { CacheSpec } from './cache.ts'
import { cacheDirectives } from './cache-directives.ts'

/** A whole reply, and how long it may be shown. */
export interface StoredReply extends Lifetime {
  readonly pathKey: string
  readonly status: number
  readonly headers: HeaderFields
  readonly body: Uint8Array
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** When it was asked for, on the monotonic clock. */
  readonly askedAtMs: number
}

export interface Lifetime {
  /** What it had already when it came. */
  readonly initialAgeMs: number
  readonly freshMs: number
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
}

/** Stored when they say for how long. Source: RFC 9110, section 15.1, without those that a client's mistake may cause. */
const storable = new Set([200, 203, 204, 300, 301, 308, 404, 410])
/** Stored also when they do not, for `ttlMs`. */
const storableByDefault = new Set([200, 203, 301, 308])
/** Of one reply and nobody else's. */
const ofOneReply =
  /^(?:age|connection|keep-alive|x-request-id|trestle-trace-id|retry-after|ratelimit|ratelimit-policy|cache-status|content-length)$/i

/** How long a reply may be shown; `undefined`: it is not stored. Source: RFC 9111, sections 3 and 4.2. */
export function lifetimeOf({ status, headers }: HttpResponse, spec: CacheSpec, nowMs: number): Lifetime | undefined {
  const fields = headersFrom(headers.flat())
  const control = cacheDirectives(fields.get('cache-control'))
  if (!storable.has(status) || control.has('no-store') || control.has('private')) return undefined
  // A reply for one client, a reply with a hole, or one that depends on more than the request says.
  if (fields.has('set-cookie') || fields.has('trestle-partial') || fields.get('vary')?.includes('*') === true)
    return undefined
  const explicit =
    control.ms('s-maxage') ?? control.ms('max-age') ?? expiresMs(fields.get('expires'), fields.get('date'), nowMs)
  const freshMs = control.has('no-cache') ? 0 : (explicit ?? (storableByDefault.has(status) ? spec.ttlMs : 0))
  const validated = fields.has('etag') || fields.has('last-modified')
  if (freshMs === 0 && (!validated || (explicit === undefined && !control.has('no-cache')))) return undefined
  const strict = ['no-cache', 'must-revalidate', 'proxy-revalidate'].some((name) => control.has(name))
  // `s-maxage` forbids what the reply does not allow by itself.
  const byDefault = strict || control.has('s-maxage') ? { whileMs: 0, ifErrorMs: 0 } : defaultsOf(spec)
  return {
    initialAgeMs: secondsMs(fields.get('age')),
    freshMs,
    staleWhileRevalidateMs: strict ? 0 : (control.ms('stale-while-revalidate') ?? byDefault.whileMs),
    staleIfErrorMs: strict ? 0 : (control.ms('stale-if-error') ?? byDefault.ifErrorMs),
  }
}

function defaultsOf({ staleWhileRevalidateMs, staleIfErrorMs }: CacheSpec) {
  return { whileMs: staleWhileRevalidateMs, ifErrorMs: staleIfErrorMs }
}

/** @param body is copied: it may be a piece of something larger, which would be kept with it */
export function storedReply(
  response: HttpResponse,
  body: Uint8Array,
  lifetime: Lifetime,
  { pathKey, askedAtMs }: Pick<StoredReply, 'pathKey' | 'askedAtMs'>,
): StoredReply {
  const headers = response.headers.filter(([name]) => !ofOneReply.test(name))
  const field = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
  const validators = { etag: field('etag'), lastModified: field('last-modified') }
  return {
    ...lifetime,
    ...validators,
    pathKey,
    askedAtMs,
    status: response.status,
    headers,
    body: new Uint8Array(body),
  }
}

/** What a 304 makes of a stored reply: its fields replace those of the same name. Source: RFC 9111, section 3.2. */
export function mergedHeaders(stored: HeaderFields, fresh: HeaderFields): HeaderFields {
  const kept = fresh.filter(([name]) => !/^content-(?:length|encoding|type|range)$/i.test(name))
  const replaced = new Set(kept.map(([name]) => name.toLowerCase()))
  return [...stored.filter(([name]) => !replaced.has(name.toLowerCase())), ...kept]
}

export function ageMs({ initialAgeMs, askedAtMs }: StoredReply, nowMs: number): number {
  return initialAgeMs + Math.max(0, nowMs - askedAtMs)
}

function expiresMs(expires: string | undefined, date: string | undefined, nowMs: number): number | undefined {
  if (expires === undefined) return undefined
  const at = Date.parse(expires)
  const from = date === undefined ? nowMs : Date.parse(date)
  return Number.isNaN(at) || Number.isNaN(from) ? 0 : Math.max(0, at - from)
}

function secondsMs(value: string | undefined): number {
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) * 1_000 : 0
}

import type { Policy } from '../policy/policy.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { ReplyCache } from './reply-cache.ts'

/** How much is kept, for how long, and what makes one reply differ from another. */
export interface CacheOptions {
  /** What all stored replies may take, 1 to 17,179,869,184; default 67,108,864. What was used longest ago makes room. */
  readonly maxBytes?: number
  /** What one of them may take; a longer one is passed on and not stored. Default 1,048,576. */
  readonly maxEntryBytes?: number
  /** How long a reply is fresh that does not say so itself (only 200, 203, 301 and 308); default 0: it is not stored. */
  readonly ttlMs?: number
  /** Request header fields that make a difference, besides `Accept`, `Accept-Encoding`, `Accept-Language` and `Origin`. */
  readonly vary?: readonly string[]
  /** Also for callers who are authenticated or send `Authorization`, for each of them apart; default `false`: not for them. */
  readonly allowAuthorization?: boolean
  /** How long a stale reply is still shown while a new one is fetched, when the reply does not say it; default 0. */
  readonly staleWhileRevalidateMs?: number
  /** How long a stale reply is shown when a new one cannot be had, when the reply does not say it; default 0. */
  readonly staleIfErrorMs?: number
}

/** With every default filled in. */
export interface CacheSpec {
  readonly maxBytes: number
  readonly maxEntryBytes: number
  readonly ttlMs: number
  /** Lower case. */
  readonly vary: readonly string[]
  readonly allowAuthorization: boolean
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
}

const alwaysVary = ['accept', 'accept-encoding', 'accept-language', 'origin']
const yearMs = 365 * 86_400_000

/**
 * Keeps replies in memory and gives them again while they are fresh: a shared cache. One of these in `gateway({ policies })`
 * holds for all routes, and a change by an unsafe method empties what is stored of its path. `Cache-Status` on each reply
 * says what happened. Source: RFC 9111, RFC 5861, RFC 9211.
 * @throws TypeError for sizes and times that are none
 * @example upstream('/catalogue/*', ['http://10.0.0.7'], { policies: [cache({ ttlMs: 5_000, staleIfErrorMs: 60_000 })] })
 */
export function cache(options: CacheOptions = {}): Policy {
  const spec = cacheSpec(options)
  const caches = new WeakMap<GatewayContext, ReplyCache>()
  return {
    kind: 'policy',
    name: 'cache',
    stage: 'cache',
    async open(route, context) {
      const [{ cacheAdvice }, { ReplyCache }] = await Promise.all([
        import('./cache-advice.ts'),
        import('./reply-cache.ts'),
      ])
      const replies = caches.get(context) ?? new ReplyCache(spec.maxBytes)
      caches.set(context, replies)
      return cacheAdvice(route, spec, replies, context)
    },
  }
}

function cacheSpec(options: CacheOptions): CacheSpec {
  const { maxBytes = 67_108_864, ttlMs = 0, vary = [], allowAuthorization = false } = options
  const { maxEntryBytes = Math.min(1_048_576, maxBytes), staleWhileRevalidateMs = 0, staleIfErrorMs = 0 } = options
  within('maxBytes', maxBytes, 1, 17_179_869_184)
  within('maxEntryBytes', maxEntryBytes, 1, maxBytes)
  within('ttlMs', ttlMs, 0, yearMs)
  within('staleWhileRevalidateMs', staleWhileRevalidateMs, 0, yearMs)
  within('staleIfErrorMs', staleIfErrorMs, 0, yearMs)
  for (const name of vary) {
    if (!/^[A-Za-z0-9-]{1,100}$/.test(name)) throw new TypeError(`cache: ${JSON.stringify(name)} is no header field`)
  }
  const names = new Set([...alwaysVary, ...vary.map((name) => name.toLowerCase())])
  return {
    maxBytes,
    maxEntryBytes,
    ttlMs,
    vary: [...names],
    allowAuthorization,
    staleWhileRevalidateMs,
    staleIfErrorMs,
  }
}

function within(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new TypeError(`cache: ${name} must be from ${min} to ${max}, not ${value}`)
}

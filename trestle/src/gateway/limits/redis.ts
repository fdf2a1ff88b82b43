import type { RedisCountersSpec } from './counters.ts'

/** Where a Redis is, and how long it may take. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` with TLS. */
  readonly url: string
  /** Until an answer counts as none, 1 to 10,000; default 75. */
  readonly timeoutMs?: number
  /** What the names of its keys begin with; default `trestle`. */
  readonly prefix?: string
}

/**
 * Counts rate limits in a Redis (or Valkey) that several gateways share, by its clock, in one script per request. The
 * package `ioredis` must be installed. What happens while it cannot be reached is said by each limit: `whenStoreDown`.
 * @throws TypeError for an address that is none
 * @example gateway({ routes, counters: redis({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1' }) })
 */
export function redis({ url, timeoutMs = 75, prefix = 'trestle' }: RedisOptions): RedisCountersSpec {
  // The address itself is not repeated: it may hold a password.
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new TypeError('redis: url is no address like redis://127.0.0.1:6379')
  }
  if (!(timeoutMs >= 1 && timeoutMs <= 10_000)) {
    throw new TypeError(`redis: timeoutMs must be from 1 to 10,000, not ${timeoutMs}`)
  }
  return { kind: 'redis', url, timeoutMs, prefix }
}

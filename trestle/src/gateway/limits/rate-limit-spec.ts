import type { EdgeRequest } from '../request/edge-request.ts'

/** For whom a limit counts: see `RateLimitOptions.per`. */
export type RateLimitPer = 'caller' | 'key' | 'ip' | 'route' | ((request: EdgeRequest) => string | undefined)

/** What a limit does while the store of shared counters is down: see `RateLimitOptions.whenStoreDown`. */
export type WhenStoreDown = 'local' | 'open' | 'closed'

/** What a limit allows, to whom, and what happens when it cannot be counted. */
export interface RateLimitOptions {
  /**
   * Said in `RateLimit-Policy`, at most 64 letters, digits, `.`, `_` and `-`; one gateway has it once. Default: made from the
   * numbers, `caller-100-per-60s`.
   */
  readonly name?: string
  /**
   * For whom it counts. `caller`: who is authenticated, and by network address who is not; `key`: API keys, nobody else;
   * `ip`: the network address, of IPv6 the first 64 bits; `route`: all who ask there together; a function: equal texts
   * together, `undefined` not at all.
   */
  readonly per: RateLimitPer
  /** Units per window in the long run, 1 to 1,000,000,000. */
  readonly allow: number
  /** 1 ms to 31 days. */
  readonly windowMs: number
  /** Units that may be taken at once; default `allow`. In no window are more than `allow + burst` taken. */
  readonly burst?: number
  /** Units that one request takes, or a function of it; default 1. More than `burst` counts as `burst`. */
  readonly cost?: number | ((request: EdgeRequest) => number)
  /**
   * When the shared counters cannot be reached: `local` counts in this process alone (with N gateways up to N times as much
   * passes), `open` does not count, `closed` answers 503. Default `local`. Never a 500.
   */
  readonly whenStoreDown?: WhenStoreDown
  /** `authentication`: counts before anybody asks who it is, so only `ip`, `route` or a function; default: after authorisation. */
  readonly before?: 'authentication'
  /** Counters held in one process; default 100,000, about 15 MB. Beyond, the least charged ones are forgotten. */
  readonly keysMax?: number
}

/** A limit as data, with every default filled in. */
export interface RateLimitSpec {
  readonly name: string | undefined
  readonly per: RateLimitPer
  readonly allow: number
  readonly windowMs: number
  readonly burst: number
  readonly cost: number | ((request: EdgeRequest) => number)
  readonly whenStoreDown: WhenStoreDown
  readonly keysMax: number
}

const windowMaxMs = 31 * 86_400_000

/** @throws TypeError for numbers that make no limit; names the limit and what to write */
export function rateLimitSpec(options: RateLimitOptions): RateLimitSpec {
  const { name, per, allow, windowMs, burst = allow, cost = 1, whenStoreDown = 'local', keysMax = 100_000 } = options
  const what = `rateLimit(${name ?? (typeof per === 'function' ? 'function' : per)})`
  if (name !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    throw new TypeError(`${what}: a name has 1 to 64 letters, digits, dots, hyphens and underscores`)
  }
  if (typeof per !== 'function' && !['caller', 'key', 'ip', 'route'].includes(per)) {
    throw new TypeError(`${what}: per is caller, key, ip, route or a function`)
  }
  within(what, 'allow', allow, 1_000_000_000)
  within(what, 'windowMs', windowMs, windowMaxMs)
  within(what, 'burst', burst, 1_000_000_000)
  within(what, 'keysMax', keysMax, 10_000_000)
  if (typeof cost === 'number' && !(Number.isInteger(cost) && cost >= 0 && cost <= burst)) {
    throw new TypeError(`${what}: cost must be a whole number from 0 to burst (${burst}), not ${cost}`)
  }
  if (options.before === 'authentication' && (per === 'caller' || per === 'key')) {
    throw new TypeError(`${what}: before authentication nobody knows the ${per}; write per: 'ip'`)
  }
  return { name, per, allow, windowMs, burst, cost, whenStoreDown, keysMax }
}

function within(what: string, field: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new TypeError(`${what}: ${field} must be a whole number from 1 to ${max}, not ${value}`)
  }
}

/** What a limit is called that was given no name. */
export function nameOf({ name, per, allow, windowMs }: RateLimitSpec): string {
  if (name !== undefined) return name
  const window = windowMs % 1_000 === 0 ? `${windowMs / 1_000}s` : `${windowMs}ms`
  return `${typeof per === 'function' ? 'custom' : per}-${allow}-per-${window}`
}

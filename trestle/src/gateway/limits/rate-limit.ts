import type { Policy } from '../policy/policy.ts'
import { nameOf, type RateLimitOptions, rateLimitSpec } from './rate-limit-spec.ts'

/**
 * Bounds how often somebody may ask (GCRA). Every reply says what is left in `RateLimit-Policy` and `RateLimit`; beyond the
 * limit it is 429 `rate_limited` with `Retry-After`. The limits of one stage are taken together: what one of them refuses
 * is charged to none.
 * @throws TypeError for numbers that make no limit
 * @example gateway({ routes, policies: [
 *   rateLimit({ per: 'caller', allow: 100, windowMs: 60_000, burst: 20 }),
 *   rateLimit({ name: 'floods', per: 'ip', allow: 50, windowMs: 1_000, before: 'authentication' }),
 * ] })
 */
export function rateLimit(options: RateLimitOptions): Policy {
  const spec = rateLimitSpec(options)
  const stage = options.before === 'authentication' ? 'limits' : 'rate-limit'
  const policy: Policy = {
    kind: 'policy',
    name: nameOf(spec),
    stage,
    async open(route, context) {
      const limiter = await context.limiter()
      return limiter.join(route, stage, limiter.limitFor(policy, spec))
    },
  }
  return policy
}

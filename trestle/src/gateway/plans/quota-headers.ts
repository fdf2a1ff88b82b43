import type { RateLimitHeaders } from '../limits/rate-limit-headers.ts'
import type { PlanSpec } from './plan.ts'
import type { TakeOutcome } from './quota-leases.ts'

type Write = (
  outcomes: readonly TakeOutcome[],
  quotas: PlanSpec['quotas'],
  nowMs: number,
  into: [name: string, value: string][],
) => void

/**
 * Makes what says a quota in the fields of rate limits, beside theirs: `"quota-day";q=1000;w=86400` and
 * `"quota-day";r=990;t=3600`, where `r` is what this gateway knows to be left and `t` the seconds until the period ends.
 * Source: IETF draft-ietf-httpapi-ratelimit-headers-11, whose `w` need not slide.
 */
export function quotaHeaders(names: RateLimitHeaders | false): Write {
  if (names === false) return () => undefined
  const { policy = 'RateLimit-Policy', limit = 'RateLimit' } = names
  return (outcomes, quotas, nowMs, into) => {
    for (let at = 0; at < quotas.length; at += 1) {
      const quota = quotas[at] as PlanSpec['quotas'][number]
      const { lease } = outcomes[at] as TakeOutcome
      const { startsAtMs, endsAtMs } = lease.period
      const name = `"quota-${quota.per}"`
      const unleased = lease.spent === undefined ? 0 : Math.max(0, quota.allow - lease.spent)
      const left = Math.max(0, lease.left + unleased - lease.owed)
      add(into, policy, `${name};q=${quota.allow};w=${(endsAtMs - startsAtMs) / 1_000}`)
      add(into, limit, `${name};r=${left};t=${Math.max(0, Math.ceil((endsAtMs - nowMs) / 1_000))}`)
    }
  }
}

/** Behind what the rate limits say. */
function add(into: [name: string, value: string][], name: string, item: string): void {
  const field = into.find(([other]) => other === name)
  if (field === undefined) into.push([name, item])
  else field[1] = `${field[1]}, ${item}`
}

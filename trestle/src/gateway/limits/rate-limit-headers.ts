import type { Demand, Taken } from './counters.ts'
import { unitsLeft, waitMsForMore } from './gcra.ts'

/** Names of the fields that tell a client its limits. */
export interface RateLimitHeaders {
  /** What the limits are; default `RateLimit-Policy`. */
  readonly policy?: string
  /** What is left of them; default `RateLimit`. */
  readonly limit?: string
}

type Write = (demands: readonly Demand[], taken: Taken, into: [name: string, value: string][]) => void

/**
 * Makes what writes the fields: `RateLimit-Policy: "a";q=100;w=60` and `RateLimit: "a";r=50;t=1`, one item per limit. `r`
 * units can be taken now, and no more within `t` seconds. Source: IETF draft-ietf-httpapi-ratelimit-headers-11.
 * @throws TypeError for a name that is none
 */
export function rateLimitHeaders(names: RateLimitHeaders | false): Write {
  if (names === false) return () => undefined
  const { policy = 'RateLimit-Policy', limit: current = 'RateLimit' } = names
  for (const name of [policy, current]) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(name)) {
      throw new TypeError(`gateway: ${JSON.stringify(name)} is no name of a header field`)
    }
  }
  return (demands, { debtsMs }, into) => {
    let policies = ''
    let limits = ''
    for (let at = 0; at < demands.length; at += 1) {
      const debtMs = debtsMs[at]
      if (debtMs === undefined) continue
      const { law, policyItem, limitItem } = (demands[at] as Demand).limit
      const seconds = Math.ceil(waitMsForMore(law, debtMs) / 1_000)
      policies = policies === '' ? policyItem : `${policies}, ${policyItem}`
      const item = `${limitItem}${unitsLeft(law, debtMs)};t=${seconds}`
      limits = limits === '' ? item : `${limits}, ${item}`
    }
    if (policies !== '') into.push([policy, policies], [current, limits])
  }
}

import { isDeepStrictEqual } from 'node:util'
import type { UpstreamSpec } from './upstream.ts'

const ofThePool = ['targets', 'health', 'resilience', 'tls'] as const

/** Routes to one pool say the same of it. @throws TypeError with the first thing that two of them say differently */
export function checkPools(routes: readonly UpstreamSpec[]): void {
  const known = new Map<string, UpstreamSpec>()
  for (const route of routes) {
    const { pool, pattern } = route
    if (pool === undefined) continue
    const first = known.get(pool) ?? route
    known.set(pool, first)
    const other = ofThePool.find((option) => !isDeepStrictEqual(first[option], route[option]))
    if (other === undefined) continue
    throw new TypeError(
      `upstream(${pattern}): ${other} must be what upstream(${first.pattern}) says, both are of the pool ${pool}`,
    )
  }
}

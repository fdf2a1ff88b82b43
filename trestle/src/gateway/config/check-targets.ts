import { checkedTarget } from '../upstream/target.ts'
import { attempt, type Report } from './attempt.ts'
import type { ConfigPath } from './config-node.ts'
import { defined } from './defined.ts'
import type { GatewayFile, UpstreamEntry } from './gateway-schema.ts'

/**
 * Reports addresses that are none where they stand, once, and not for each route that leads there.
 * @returns the upstreams that have such addresses
 */
export function checkTargets({ upstreams = {} }: GatewayFile, report: Report): ReadonlySet<string> {
  const faulty = Object.entries(upstreams).filter(([name, { targets, mirror }]) => {
    const path = ['upstreams', name]
    const good = targets.map((target, at) => isGood(target, [...path, 'targets', at], report))
    if (mirror !== undefined) good.push(isGood(mirror.to, [...path, 'mirror', 'to'], report))
    return good.includes(false)
  })
  return new Set(faulty.map(([name]) => name))
}

function isGood(target: UpstreamEntry['targets'][number], path: ConfigPath, report: Report): boolean {
  const given = typeof target === 'string' ? target : defined(target)
  return attempt(path, report, () => checkedTarget(given, (what) => new TypeError(what))) !== undefined
}

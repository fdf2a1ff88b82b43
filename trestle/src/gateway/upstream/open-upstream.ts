import type { GatewayContext } from '../gateway-context.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { firstCluster } from './first-cluster.ts'
import { forwarder } from './forward.ts'
import { type Target, targetOf } from './target.ts'
import type { UpstreamSpec } from './upstream.ts'

/** Opens an upstream: its cluster of targets, and one endpoint for each method. */
export async function openUpstream(spec: UpstreamSpec, context: GatewayContext): Promise<OpenRoute> {
  const { clock, random } = context
  const cluster = firstCluster<Target>()
  cluster.replace(spec.targets.map(({ url, weight }) => ({ id: url, target: targetOf(url), weight })))
  const answer = forwarder(spec, { cluster, clock, random, http: await context.http() })
  const endpoints = spec.methods.map(
    (method): Endpoint => ({
      method,
      template: spec.pattern,
      place: `upstream(${spec.pattern})`,
      operation: undefined,
      target: 'upstream',
      access: spec.access,
      allowInPath: spec.allowInPath,
      cost: spec.cost,
      policies: spec.policies,
      answer,
    }),
  )
  return { endpoints, documents: [] }
}

import type { HttpClient } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { firstCluster } from './first-cluster.ts'
import { forwarder } from './forward.ts'
import { startHealthChecks } from './health-checks.ts'
import { openMirror } from './mirror.ts'
import { type Target, targetOf } from './target.ts'
import type { UpstreamSpec } from './upstream.ts'

/** Opens an upstream: its cluster of targets, and one endpoint for each method. */
export async function openUpstream(spec: UpstreamSpec, context: GatewayContext): Promise<OpenRoute> {
  const { clock, random, metrics } = context
  const { pattern, hosts, health, mirror } = spec
  const http = await clientFor(spec, context)
  const targets = spec.targets.map(({ url, weight }) => ({ ...targetOf(url), weight }))
  // How targets do outlives a new description of the gateway, where these targets stay the same: the description before
  // may still serve from them, or be kept because something else is wrong with the new one.
  const key = JSON.stringify(['upstream', hosts, spec.methods, pattern, spec.targets])
  const cluster = context.keep(key, () => firstCluster<Target>())
  cluster.replace(targets.map((target) => ({ id: target.url, target, weight: target.weight })))
  if (health !== undefined) {
    context.defer(startHealthChecks(health, targets, cluster, { http, clock, random }))
  }
  const answer = forwarder(spec, {
    cluster,
    clock,
    random,
    http,
    mirror: mirror && openMirror(mirror, { http: await context.http(), metrics, random }),
  })
  const endpoints = spec.methods.map(
    (method): Endpoint => ({
      method,
      template: pattern,
      place: `upstream(${pattern})`,
      operation: undefined,
      name: spec.name,
      target: 'upstream',
      access: spec.access,
      allowInPath: spec.allowInPath,
      cost: spec.cost,
      policies: spec.policies,
      answer,
    }),
  )
  return { endpoints, documents: [], upstream: { name: spec.name ?? pattern, state: () => cluster.state() } }
}

/** The gateway's own, unless this upstream trusts other certificates. */
async function clientFor({ tls }: UpstreamSpec, context: GatewayContext): Promise<HttpClient> {
  if (tls?.ca === undefined) return await context.http()
  const { createHttpClient } = await import('../../http/client.ts')
  const client = createHttpClient({ ca: tls.ca })
  context.defer(() => client.close())
  return client
}

import type { HttpClient } from '../../http/message.ts'
import { activeChecks } from '../../registry/active-checks.ts'
import type { Cluster } from '../../registry/cluster.ts'
import { createCluster } from '../../registry/create-cluster.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { forwarder } from './forward.ts'
import { openMirror } from './mirror.ts'
import { probeOf } from './probe.ts'
import { type Target, targetOf } from './target.ts'
import { upstreamDocument } from './upstream-document.ts'
import type { UpstreamSpec } from './upstream.ts'

/** Opens an upstream: its cluster of targets, and one endpoint for each method. */
export async function openUpstream(spec: UpstreamSpec, context: GatewayContext): Promise<OpenRoute> {
  const { clock, random, metrics } = context
  const { pattern, mirror } = spec
  const http = await clientFor(spec, context)
  const cluster = clusterOf(spec, context)
  watch(spec, cluster, http, context)
  const answer = forwarder(spec, {
    cluster,
    clock,
    random,
    http,
    mirror: mirror && openMirror(mirror, { http: await context.http(), metrics, random }),
  })
  const foreign = await upstreamDocument(spec)
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
      policies: foreign === undefined ? spec.policies : [...spec.policies, foreign.policy],
      answer,
    }),
  )
  return {
    endpoints,
    documents: [],
    foreign: foreign?.part,
    upstream: { name: spec.name ?? pattern, state: () => cluster.state() },
  }
}

/** How targets do outlives a new description of the gateway. */
function clusterOf(spec: UpstreamSpec, { clock, random, log, keep }: GatewayContext): Cluster<Target> {
  const { name, pattern, hosts, methods, targets, resilience } = spec
  const upstream = name ?? pattern
  const cluster = keep(JSON.stringify(['upstream', upstream, hosts, methods, pattern, resilience]), () =>
    createCluster<Target>({
      ...resilience,
      clock,
      random,
      onEvent: (event) => log.warn({ upstream, ...event }, `upstream ${event.kind}`),
    }),
  )
  cluster.replace(targets.map(({ url, weight }) => ({ id: url, target: targetOf(url), weight })))
  return cluster
}

/** Asks the targets for their health, where that is wanted, until the gateway closes. */
function watch(
  { health, targets }: UpstreamSpec,
  cluster: Cluster<Target>,
  http: HttpClient,
  { clock, random, defer }: GatewayContext,
): void {
  // What a former description's checks found is not known to these, and without checks nobody would take it back.
  for (const { url } of targets) cluster.checked(url, true)
  if (health === undefined) return
  const { path, intervalMs, timeoutMs } = health
  const probe = probeOf(http, path, timeoutMs)
  const checks = activeChecks(cluster, { probe, intervalMs, timeoutMs, clock, random })
  checks.replace(targets.map(({ url }) => ({ id: url, target: targetOf(url) })))
  defer(() => checks.close())
}

/** The gateway's own, unless this upstream trusts other certificates. */
async function clientFor({ tls }: UpstreamSpec, context: GatewayContext): Promise<HttpClient> {
  if (tls?.ca === undefined) return await context.http()
  const { createHttpClient } = await import('../../http/client.ts')
  const client = createHttpClient({ ca: tls.ca })
  context.defer(() => client.close())
  return client
}

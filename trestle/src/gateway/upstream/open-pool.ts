import type { HttpClient } from '../../http/message.ts'
import { activeChecks } from '../../registry/active-checks.ts'
import type { Cluster } from '../../registry/cluster.ts'
import { createCluster } from '../../registry/create-cluster.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { probeOf } from './probe.ts'
import { type Target, targetOf } from './target.ts'
import type { UpstreamSpec } from './upstream.ts'

/** The servers behind one upstream, or behind all that name the same pool. */
export interface UpstreamPool {
  readonly cluster: Cluster<Target>
  readonly http: HttpClient
  readonly report: NonNullable<OpenRoute['upstreams']>[number]
}

/** One for each upstream, and for each pool in a gateway: however many routes lead to it, its targets are asked for their health once. */
export function poolOf(spec: UpstreamSpec, context: GatewayContext): Promise<UpstreamPool> {
  return spec.pool === undefined
    ? openPool(spec, context)
    : context.shared(JSON.stringify(['pool', spec.pool]), () => openPool(spec, context))
}

async function openPool(spec: UpstreamSpec, context: GatewayContext): Promise<UpstreamPool> {
  const http = await clientFor(spec, context)
  const name = spec.pool ?? spec.name ?? spec.pattern
  const cluster = keptCluster(name, spec, context)
  // Until everything is open another description may hold, and go on with these targets.
  context.whenOpen(() => {
    cluster.replace(spec.targets.map(({ url, weight }) => ({ id: url, target: targetOf(url), weight })))
    watch(spec, cluster, http, context)
  })
  return { cluster, http, report: { name, state: () => cluster.state() } }
}

/** How targets do outlives a new description of the gateway. */
function keptCluster(
  upstream: string,
  { pool, pattern, hosts, methods, resilience }: UpstreamSpec,
  { clock, random, log, keep }: GatewayContext,
): Cluster<Target> {
  const own = pool === undefined ? ['upstream', upstream, hosts, methods, pattern] : ['pool', pool]
  return keep(JSON.stringify([...own, resilience]), () =>
    createCluster<Target>({
      ...resilience,
      clock,
      random,
      onEvent: (event) => log.warn({ upstream, ...event }, `upstream ${event.kind}`),
    }),
  )
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

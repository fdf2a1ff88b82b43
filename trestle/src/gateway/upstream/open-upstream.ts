import type { GatewayContext } from '../gateway-context.ts'
import type { EdgeHandler } from '../policy/policy.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { forwarder } from './forward.ts'
import { openMirror } from './mirror.ts'
import { poolOf, type UpstreamPool } from './open-pool.ts'
import { upstreamDocument } from './upstream-document.ts'
import type { UpstreamSpec } from './upstream.ts'

/** Opens what answers for an upstream, in front of its pool of targets. */
export async function openForwarder(
  spec: UpstreamSpec,
  context: GatewayContext,
): Promise<{ readonly answer: EdgeHandler; readonly report: UpstreamPool['report'] }> {
  const { clock, random, metrics } = context
  const { cluster, http, report } = await poolOf(spec, context)
  const mirror = spec.mirror && openMirror(spec.mirror, { http: await context.http(), metrics, random })
  return { answer: forwarder(spec, { cluster, clock, random, http, mirror }), report }
}

/** Opens an upstream: one endpoint for each method. */
export async function openUpstream(spec: UpstreamSpec, context: GatewayContext): Promise<OpenRoute> {
  const { pattern } = spec
  const { answer, report } = await openForwarder(spec, context)
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
    upstreams: [report],
  }
}

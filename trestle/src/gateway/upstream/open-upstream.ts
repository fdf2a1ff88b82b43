import type { GatewayContext } from '../gateway-context.ts'
import type { Endpoint } from '../route/endpoint.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { forwarder } from './forward.ts'
import { openMirror } from './mirror.ts'
import { poolOf } from './open-pool.ts'
import { upstreamDocument } from './upstream-document.ts'
import type { UpstreamSpec } from './upstream.ts'

/** Opens an upstream: one endpoint for each method, in front of its pool of targets. */
export async function openUpstream(spec: UpstreamSpec, context: GatewayContext): Promise<OpenRoute> {
  const { clock, random, metrics } = context
  const { pattern, mirror } = spec
  const { cluster, http, report } = await poolOf(spec, context)
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
    upstream: report,
  }
}

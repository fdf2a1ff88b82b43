import type { GatewayContext } from '../gateway-context.ts'
import { joinParts, missingParts, orRefused } from '../aggregate/join-parts.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { askUpstream, barredFrom, openCombinedPart } from './ask-upstream.ts'
import type { CombineSpec } from './combine.ts'

/** Opens a reply that is put together from several upstreams: one endpoint that asks them. */
export async function openCombine(spec: CombineSpec, context: GatewayContext): Promise<OpenRoute> {
  const { pattern, name, access, allowInPath, cost, policies } = spec
  const parts = await Promise.all(spec.parts.map((part) => openCombinedPart(part, spec, context)))
  const required = parts.filter(({ optional }) => !optional)
  const count = missingParts(context)
  const personal = [access, ...parts.map((part) => part.access)].some(({ kind }) => kind !== 'anyone')
  const write = joinParts(
    parts.map((part) => part.name),
    personal,
    200,
  )
  const answer = async (request: EdgeRequest): Promise<HttpResponse> => {
    // Nobody is asked for a reply that cannot be.
    for (const part of required) orRefused(barredFrom(part, request))
    const done = new AbortController()
    try {
      const outcomes = await Promise.all(
        parts.map((part) => {
          const outcome = askUpstream(part, request, done.signal, context)
          return part.optional ? outcome : outcome.then(orRefused)
        }),
      )
      parts.forEach((part, at) => outcomes[at]?.ok === false && count(pattern, part.name))
      return write(outcomes, request)
    } finally {
      // Whoever is still being asked need not answer any more.
      done.abort()
    }
  }
  const place = `combine(${pattern})`
  const endpoint = { method: 'GET', template: pattern, place, operation: undefined, name, access, allowInPath, cost }
  return {
    endpoints: [{ ...endpoint, target: 'aggregate', policies, answer }],
    documents: [],
    upstreams: parts.map(({ report }) => report),
  }
}

import { anonymous } from '../call/caller.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { methodAskedFor } from './cors/preflight.ts'
import type { GatewaySpec } from './gateway.ts'
import type { ComposedPolicies } from './policy/policy.ts'
import { refused } from './reply/problem-response.ts'
import { canonicalPath, type PathAmbiguity } from './request/canonical-path.ts'
import type { RequestNotes } from './request/edge-request.ts'
import { hostMatcher } from './request/host-match.ts'
import type { RequestIdentity } from './request/request-identity.ts'
import { splitTarget } from './request/request-target.ts'
import { originOf, trustedProxies } from './request/trusted-headers.ts'
import type { HostedEndpoint } from './route/check-endpoint.ts'
import type { Endpoint } from './route/endpoint.ts'
import { decodeValues } from './route/path-values.ts'
import type { RouteMatch, RouteTable } from './route/route-table.ts'

/** An endpoint with its policies in front of it. */
export type OpenEndpoint = HostedEndpoint &
  Omit<ComposedPolicies, 'names'> & { readonly policyNames: readonly string[] }

/** Takes a request as it came to the endpoint that answers it. @throws Refused, HttpError */
export type FrontDoor = (
  http: HttpRequest,
  identity: RequestIdentity,
  notes: RequestNotes,
  replyHeaders: [string, string][],
) => HttpResponse | Promise<HttpResponse>

/**
 * Makes what every request passes first: it gets its one canonical form, loses what only a trusted proxy may say, and is
 * given to the endpoint of its host, path and method.
 * @throws TypeError for a host or a trusted proxy that is none
 */
export function frontDoor(
  table: RouteTable<OpenEndpoint>,
  spec: Pick<GatewaySpec, 'hosts' | 'trustedProxies'>,
): FrontDoor {
  const servesHost = hostMatcher(spec.hosts)
  const trusted = trustedProxies(spec.trustedProxies)
  return (http, identity, notes, replyHeaders) => {
    const target = splitTarget(http.target)
    const host = target.host ?? http.headers.get('host')
    if (!servesHost(host)) throw refused('not_found', { detail: 'This host is not served here' })
    if (target.path === '*') return allowed('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    const canonical = canonicalPath(target.path)
    if (!canonical.ok) throw refused('bad_request', { detail: canonical.detail })
    const { path, ambiguities } = canonical
    notes.path = path
    const hostname = hostName(host)
    const match = table.match(hostname, path)
    const asked = methodAskedFor(http.method, http.headers)
    const endpoint = match === undefined ? undefined : endpointFor(match, http.method, asked)
    if (ambiguities.length > 0) checkAmbiguities(ambiguities, endpoint ?? match?.routes.values().next().value)
    if (match === undefined) throw refused('not_found', { detail: 'No route has this path' })
    notes.route = endpoint?.template ?? match.routes.values().next().value?.template
    if (endpoint === undefined) return otherMethod(match, http.method)
    notes.operation = endpoint.operation
    const { clientAddress, headers } = originOf(http, trusted)
    notes.clientAddress = clientAddress
    // What takes every method may know the answer itself.
    const isPreflight = asked !== undefined && endpoint.method !== 'OPTIONS' && endpoint.method !== '*'
    const handle = isPreflight ? endpoint.preflight : endpoint.handle
    return handle({
      http,
      ...identity,
      clientAddress,
      host: hostname,
      headers,
      path,
      query: target.query,
      values: decodeValues(match.values, endpoint.template),
      caller: anonymous,
      replyHeaders,
      notes,
    })
  }
}

function hostName(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d*$/, '')
}

/** @param asked the method that a browser asks about before it uses it: the route that has it answers */
function endpointFor(
  { routes }: RouteMatch<OpenEndpoint>,
  method: string,
  asked: string | undefined,
): OpenEndpoint | undefined {
  if (asked !== undefined && !routes.has(method)) {
    return routes.get(asked) ?? (asked === 'HEAD' ? routes.get('GET') : undefined) ?? routes.get('*')
  }
  return routes.get(method) ?? (method === 'HEAD' ? routes.get('GET') : undefined) ?? routes.get('*')
}

function checkAmbiguities(found: readonly PathAmbiguity[], endpoint: Endpoint | undefined): void {
  const refusedOnes = found.filter((one) => endpoint?.allowInPath.includes(one) !== true)
  if (refusedOnes.length > 0) throw refused('bad_request', { detail: `The path has ${refusedOnes.join(' and ')}` })
}

function otherMethod({ routes }: RouteMatch<Endpoint>, method: string): HttpResponse {
  const methods = new Set([...routes.keys(), ...(routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'])
  const allow = [...methods].join(', ')
  if (method === 'OPTIONS') return allowed(allow)
  throw refused('method_not_allowed', { detail: `Allowed here: ${allow}` }, [['Allow', allow]])
}

function allowed(allow: string): HttpResponse {
  return { status: 204, headers: [['Allow', allow]] }
}

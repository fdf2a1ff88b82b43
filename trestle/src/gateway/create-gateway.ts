import type { Handle } from '../call/call.ts'
import { anonymous } from '../call/caller.ts'
import type { OpenApiInfo } from '../contract/openapi/document.ts'
import type { OpenApiRoute } from '../contract/openapi/openapi.ts'
import { headersFrom } from '../http/header-list.ts'
import type { HeaderFields, HttpClient, HttpHandler, HttpRequest, HttpResponse, OnRefusal } from '../http/message.ts'
import type { ClusterState } from '../registry/cluster.ts'
import type { Clock } from '../std/clock.ts'
import type { AccessLog } from '../telemetry/access-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { openAccessLink } from './access/access-link.ts'
import { authenticationPolicy } from './authentication/authenticate.ts'
import { authorisationPolicy } from './authentication/authorise.ts'
import type { ForeignPart } from './document/merge.ts'
import { openDocument } from './document/open-document.ts'
import { methodAskedFor } from './cors/preflight.ts'
import type { GatewayContext, GatewayLog } from './gateway-context.ts'
import { gatewayMetrics } from './gateway-metrics.ts'
import { openLimiter } from './limits/open-limiter.ts'
import type { GatewaySpec } from './gateway.ts'
import { documentPage, healthPages, homePage, type Page, pageEndpoint, type Readiness } from './pages/pages.ts'
import { accessPolicies } from './plans/plan-policies.ts'
import { checkPlanRoutes } from './plans/plan-routes.ts'
import { type ComposedPolicies, composePolicies, type RouteFacts } from './policy/policy.ts'
import { type Kept, keptFrom } from './reload/kept-state.ts'
import { failureResponse } from './reply/failure-response.ts'
import { refused } from './reply/problem-response.ts'
import { canonicalPath, type PathAmbiguity } from './request/canonical-path.ts'
import type { RequestNotes } from './request/edge-request.ts'
import { hostMatcher } from './request/host-match.ts'
import { identify, type RequestIdentity } from './request/request-identity.ts'
import { splitTarget } from './request/request-target.ts'
import { originOf, trustedProxies } from './request/trusted-headers.ts'
import { answersRoot, checkEndpoint, type HostedEndpoint } from './route/check-endpoint.ts'
import type { Endpoint } from './route/endpoint.ts'
import { type OpenRoute, openRoute } from './route/open-route.ts'
import { decodeValues } from './route/path-values.ts'
import { createRouteTable, type RouteMatch } from './route/route-table.ts'

export interface GatewayDeps {
  /** Takes a call to wherever its service runs. */
  readonly send: Handle
  readonly clock: Clock
  /** Default `Math.random`. */
  readonly random?: () => number
  readonly log: GatewayLog
  /** Default: nothing is written. */
  readonly accessLog?: AccessLog
  readonly metrics: Metrics
  /** Default: one is made at the first use and closed with the gateway. */
  readonly http?: HttpClient
  readonly readiness: () => Readiness
  /** What the gateway before this one handed on; default: this is the first. */
  readonly kept?: Kept
  /** See `documentInfo`. */
  readonly info: OpenApiInfo
  /** Further pages, `GET` only. */
  readonly pages?: readonly Page[]
}

/** One public address, for `trestle routes`. */
export interface RouteDescription extends RouteFacts {
  readonly path: string
  readonly operation: string | undefined
  /** Names of the policies in its way, in their order. */
  readonly policies: readonly string[]
}

export interface Gateway {
  readonly handler: HttpHandler
  /** Counts and logs what the HTTP engine refused by itself, and gives it the ids that every reply has. */
  readonly onRefusal: OnRefusal
  /** The OpenAPI document of everything that is exposed. */
  openapi(): object
  routes(): readonly RouteDescription[]
  /** The targets of each upstream as they stand. */
  upstreams(): readonly (ClusterState & { readonly name: string })[]
  /** Closes what its parts opened; requests must have ended. */
  close(): Promise<void>
}

/** An endpoint with its policies in front of it. */
type OpenEndpoint = HostedEndpoint & Omit<ComposedPolicies, 'names'> & { readonly policyNames: readonly string[] }

/**
 * Makes a gateway from its description: the handler that `serve` runs.
 * @throws TypeError when two routes collide, a plan names a route that is not there, or a host or a trusted proxy is none
 */
export async function createGateway(spec: GatewaySpec, deps: GatewayDeps): Promise<Gateway> {
  const opened = new AsyncDisposableStack()
  try {
    return await openGateway(spec, deps, opened)
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openGateway(spec: GatewaySpec, deps: GatewayDeps, opened: AsyncDisposableStack): Promise<Gateway> {
  const atTheEnd: (() => void)[] = []
  const context = contextOf(spec, deps, opened, atTheEnd)
  const documents: OpenApiRoute[] = []
  const foreign: ForeignPart[] = []
  const endpoints: HostedEndpoint[] = []
  const upstreams = new Set<NonNullable<OpenRoute['upstream']>>()
  const servesHost = hostMatcher(spec.hosts)
  for (const route of spec.routes) {
    const open = await openRoute(route, context)
    endpoints.push(...open.endpoints.map((endpoint) => ({ ...endpoint, hosts: route.hosts })))
    documents.push(...open.documents)
    if (open.foreign !== undefined) foreign.push(open.foreign)
    if (open.upstream !== undefined) upstreams.add(open.upstream)
  }
  for (const endpoint of endpoints) checkEndpoint(endpoint, spec)
  checkPlanRoutes(
    spec.plans ?? {},
    endpoints.map((endpoint) => factsOf(endpoint).name),
  )
  const document = await openDocument(documents, foreign, deps.info)
  const pages = [...healthPages(deps.readiness), documentPage(document), ...(deps.pages ?? [])]
  const all = endpoints.some(answersRoot) ? pages : [homePage(deps.info, pages), ...pages]
  const gates = [authenticationPolicy(spec.authenticate), authorisationPolicy(spec.authenticate)]
  const { behindAuthentication, last } = accessPolicies(spec)
  const table = createRouteTable<OpenEndpoint>(
    await Promise.all(
      [...endpoints, ...all.map((page) => ({ ...pageEndpoint(page), hosts: [] }))].map(async (endpoint) => {
        const around = [...gates, ...behindAuthentication, ...spec.policies, ...endpoint.policies, ...last]
        const policies = endpoint.target === 'page' ? gates : around
        const facts = factsOf(endpoint)
        const { names, ...composed } = await composePolicies(policies, facts, context, endpoint.answer)
        return { ...endpoint, ...composed, policyNames: names }
      }),
    ),
  )
  const trusted = trustedProxies(spec.trustedProxies)
  const measured = gatewayMetrics(deps.metrics)
  for (const run of atTheEnd) run()

  const answer = (
    http: HttpRequest,
    identity: RequestIdentity,
    notes: RequestNotes,
    replyHeaders: [string, string][],
  ): HttpResponse | Promise<HttpResponse> => {
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

  return {
    async handler(http) {
      const started = deps.clock.monotonic()
      const identity = identify(http.headers, deps.clock.now())
      const notes: RequestNotes = {
        path: undefined,
        route: undefined,
        operation: undefined,
        caller: anonymous,
        clientAddress: http.remoteAddress,
        code: undefined,
        bytesIn: 0,
        upstream: undefined,
      }
      const replyHeaders: [string, string][] = []
      measured.inFlight.add(1)
      let response: HttpResponse
      try {
        response = await answer(http, identity, notes, replyHeaders)
      } catch (error) {
        response = failureResponse(error, identity.trace.traceId, notes, deps.log)
      }
      measured.inFlight.add(-1)
      const durationMs = deps.clock.monotonic() - started
      measured.answered(http.method, notes.route, response.status, durationMs)
      deps.accessLog?.(record(http, response, identity, notes, durationMs))
      return finished(response, identity, notes.caller, replyHeaders)
    },
    onRefusal({ code, status, remoteAddress }) {
      const identity = identify(headersFrom([]), deps.clock.now())
      measured.refused(status)
      deps.accessLog?.(refusedRecord(code, status, remoteAddress, identity))
      return idsOf(identity)
    },
    openapi: document,
    routes: () =>
      table.routes.map((endpoint) => ({
        ...factsOf(endpoint),
        path: endpoint.template,
        operation: endpoint.operation,
        policies: endpoint.policyNames,
      })),
    upstreams: () => [...upstreams].map(({ name, state }) => ({ name, ...state() })),
    close: () => opened.disposeAsync(),
  }
}

function contextOf(
  spec: GatewaySpec,
  deps: GatewayDeps,
  opened: AsyncDisposableStack,
  atTheEnd: (() => void)[],
): GatewayContext {
  let client: Promise<HttpClient> | undefined
  const openClient = async () => {
    const { createHttpClient } = await import('../http/client.ts')
    const made = createHttpClient()
    opened.defer(() => made.close())
    return made
  }
  let limiter: ReturnType<typeof openLimiter> | undefined
  let accessLink: ReturnType<typeof openAccessLink> | undefined
  const context: GatewayContext = {
    send: deps.send,
    clock: deps.clock,
    random: deps.random ?? Math.random,
    log: deps.log,
    metrics: deps.metrics,
    http: async () => deps.http ?? (client ??= openClient()),
    limiter: () => (limiter ??= openLimiter(spec, context)),
    access: () => (accessLink ??= openAccessLink(context)),
    keep: (deps.kept ?? keptFrom()).keep,
    shared: keptFrom().keep,
    whenOpen: (run) => void atTheEnd.push(run),
    defer: (close) => opened.defer(async () => close()),
  }
  return context
}

function factsOf({ method, template, hosts, operation, name, access, target, cost }: HostedEndpoint): RouteFacts {
  return { method, template, hosts, name: name ?? operation ?? `${method} ${template}`, access, target, cost }
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

function record(
  http: HttpRequest,
  response: HttpResponse,
  { requestId, trace }: RequestIdentity,
  notes: RequestNotes,
  durationMs: number,
): Parameters<AccessLog>[0] {
  const { path, route, operation, upstream, caller, clientAddress, code, bytesIn } = notes
  return {
    method: http.method,
    path,
    route,
    operation,
    upstream,
    status: response.status,
    code,
    durationMs,
    requestId,
    traceId: trace.traceId,
    callerKind: caller.kind,
    callerId: caller.id,
    remoteAddress: clientAddress,
    bytesIn,
    bytesOut: bytesOf(response),
  }
}

function bytesOf({ body, headers }: HttpResponse): number {
  if (body === undefined) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  return Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
}

/** Of a request that was not understood nothing is known but who sent it. */
function refusedRecord(
  code: string,
  status: number,
  remoteAddress: string,
  { requestId, trace }: RequestIdentity,
): Parameters<AccessLog>[0] {
  return {
    method: '-',
    path: undefined,
    route: undefined,
    operation: undefined,
    status,
    code,
    durationMs: 0,
    requestId,
    traceId: trace.traceId,
    callerKind: anonymous.kind,
    callerId: anonymous.id,
    remoteAddress,
    bytesIn: 0,
    bytesOut: 0,
  }
}

/** By what a reply is found again. */
function idsOf({ requestId, trace }: RequestIdentity): HeaderFields {
  return [
    ['X-Request-Id', requestId],
    ['Trestle-Trace-Id', trace.traceId],
  ]
}

/** What every reply says, whatever it is. */
function finished(
  response: HttpResponse,
  identity: RequestIdentity,
  caller: RequestNotes['caller'],
  more: HeaderFields,
): HttpResponse {
  const headers: (readonly [string, string])[] = [
    ...response.headers,
    ...more,
    ...idsOf(identity),
    ['X-Content-Type-Options', 'nosniff'],
  ]
  if (caller.kind !== 'anonymous' && !hasHeader(response.headers, 'cache-control')) {
    headers.push(['Cache-Control', 'no-store'])
  }
  return { ...response, headers }
}

function hasHeader(headers: HeaderFields, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name)
}

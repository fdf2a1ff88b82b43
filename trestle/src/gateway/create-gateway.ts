import type { Handle } from '../call/call.ts'
import { anonymous } from '../call/caller.ts'
import type { OpenApiInfo } from '../contract/openapi/document.ts'
import type { OpenApiRoute } from '../contract/openapi/openapi.ts'
import { headersFrom } from '../http/header-list.ts'
import type { HttpClient, HttpHandler, HttpResponse, OnRefusal } from '../http/message.ts'
import type { ClusterState } from '../registry/cluster.ts'
import type { Clock } from '../std/clock.ts'
import type { AccessLog } from '../telemetry/access-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { authenticationPolicy } from './authentication/authenticate.ts'
import { authorisationPolicy } from './authentication/authorise.ts'
import type { ForeignPart } from './document/merge.ts'
import { openDocument } from './document/open-document.ts'
import { answeredRecord, refusedRecord } from './access-records.ts'
import { frontDoor, type OpenEndpoint } from './front-door.ts'
import type { GatewayLog } from './gateway-context.ts'
import { gatewayMetrics } from './gateway-metrics.ts'
import type { GatewaySpec } from './gateway.ts'
import { documentPage, healthPages, homePage, type Page, pageEndpoint, type Readiness } from './pages/pages.ts'
import { accessPolicies } from './plans/plan-policies.ts'
import { checkPlanRoutes } from './plans/plan-routes.ts'
import { openContext } from './open-context.ts'
import { composePolicies, type RouteFacts } from './policy/policy.ts'
import type { Kept } from './reload/kept-state.ts'
import { failureResponse } from './reply/failure-response.ts'
import { finished, idsOf } from './reply/finished.ts'
import type { RequestNotes } from './request/edge-request.ts'
import { identify } from './request/request-identity.ts'
import { answersRoot, checkEndpoint, type HostedEndpoint } from './route/check-endpoint.ts'
import { type OpenRoute, openRoute } from './route/open-route.ts'
import { createRouteTable } from './route/route-table.ts'

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
  const context = openContext(spec, deps, opened, atTheEnd)
  const documents: OpenApiRoute[] = []
  const foreign: ForeignPart[] = []
  const endpoints: HostedEndpoint[] = []
  const upstreams = new Set<NonNullable<OpenRoute['upstreams']>[number]>()
  for (const route of spec.routes) {
    const open = await openRoute(route, context)
    endpoints.push(...open.endpoints.map((endpoint) => ({ ...endpoint, hosts: route.hosts })))
    documents.push(...open.documents)
    if (open.foreign !== undefined) foreign.push(open.foreign)
    for (const one of open.upstreams ?? []) upstreams.add(one)
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
  const answer = frontDoor(table, spec)
  const measured = gatewayMetrics(deps.metrics)
  for (const run of atTheEnd) run()

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
        response = failureResponse(error, identity.trace.traceId, notes, deps.log, spec.problemMembers)
      }
      measured.inFlight.add(-1)
      const durationMs = deps.clock.monotonic() - started
      measured.answered(http.method, notes.route, response.status, durationMs)
      deps.accessLog?.(answeredRecord(http, response, identity, notes, durationMs))
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

function factsOf({ method, template, hosts, operation, name, access, target, cost }: HostedEndpoint): RouteFacts {
  return { method, template, hosts, name: name ?? operation ?? `${method} ${template}`, access, target, cost }
}

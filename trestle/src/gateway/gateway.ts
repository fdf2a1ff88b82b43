import type { ContractRef } from '../contract/contract.ts'
import type { OpenApiInfo } from '../contract/openapi/document.ts'
import { access } from './access/contract.ts'
import type { AggregateSpec } from './aggregate/aggregate.ts'
import type { Authenticator } from './authentication/authenticator.ts'
import type { CombineSpec } from './combine/combine.ts'
import type { CountersSpec } from './limits/counters.ts'
import type { RateLimitHeaders } from './limits/rate-limit-headers.ts'
import { checkPlanNames, type PlanSpec } from './plans/plan.ts'
import { type QuotaOptions, type QuotaSpec, quotaSpec } from './plans/quota-options.ts'
import type { OidcPagesSpec } from './oidc/oidc.ts'
import type { Policy } from './policy/policy.ts'
import type { RedirectSpec } from './redirect.ts'
import type { ProblemMembers } from './reply/problem-response.ts'
import type { ExposeSpec } from './route/expose.ts'
import { checkPools } from './upstream/check-pools.ts'
import type { UpstreamSpec } from './upstream/upstream.ts'

/** A way in: made by `expose`, `upstream`, `aggregate`, `combine` or `redirect`. */
export type RouteSpec = ExposeSpec | UpstreamSpec | AggregateSpec | CombineSpec | RedirectSpec | OidcPagesSpec

/** What the gateway shows, to whom, and whom it believes. */
export interface GatewayOptions {
  /** Asked in this order; the first one that recognises the form of the credential decides. */
  readonly authenticate?: readonly Authenticator[]
  readonly routes: readonly RouteSpec[]
  /** Host names that are served, exactly or as `*.example.com`; default: any. */
  readonly hosts?: readonly string[]
  /** Addresses or networks (`10.0.0.0/8`) whose `Forwarded` and `X-Forwarded-*` are believed; default: none. */
  readonly trustedProxies?: readonly string[]
  /** What the OpenAPI document says about the whole API; default: the system's name, version 1.0.0. */
  readonly document?: Partial<OpenApiInfo>
  /** Hold for every route, each at its stage: limits, CORS, caches, your own. */
  readonly policies?: readonly Policy[]
  /** Where rate limits are counted: in each `process` by itself (default), or `shared` by all gateways in the gateway's database. */
  readonly counters?: CountersSpec
  /** Names of the fields that tell a client its limits; `false`: they are not sent. Default `RateLimit-Policy` and `RateLimit`. */
  readonly rateLimitHeaders?: RateLimitHeaders | false
  /**
   * What callers on each plan may do, by name. These plans are written down at each start and cannot be changed by
   * operators, who may make others. `{}`: only theirs. Default: plans mean nothing here.
   */
  readonly plans?: Readonly<Record<string, PlanSpec>>
  /** How the quotas of plans are counted. */
  readonly quota?: QuotaOptions
  /** What failures say besides, for an API that has promised another form of its errors. */
  readonly problemMembers?: ProblemMembers
}

/** The single entry of a system, as data: what it exposes and how it learns who asks. */
export interface GatewaySpec {
  readonly kind: 'gateway'
  readonly authenticate: readonly Authenticator[]
  readonly routes: readonly RouteSpec[]
  readonly hosts: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly document: Partial<OpenApiInfo>
  readonly policies: readonly Policy[]
  readonly counters: CountersSpec
  readonly rateLimitHeaders: RateLimitHeaders | false
  readonly plans: Readonly<Record<string, PlanSpec>> | undefined
  readonly quota: QuotaSpec
  readonly problemMembers: ProblemMembers | undefined
}

/**
 * Describes the gateway of a system. Nothing listens yet.
 * @throws TypeError when two authenticators have one name, a plan or `quota` is none, or upstreams of one pool differ
 * @example gateway({ authenticate: [sessions], routes: [expose(catalogue), expose(orders)] })
 */
export function gateway(options: GatewayOptions): GatewaySpec {
  const { authenticate = [], routes, hosts = [], trustedProxies = [], document = {}, policies = [] } = options
  const { counters = 'process', rateLimitHeaders = {} } = options
  const names = authenticate.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new TypeError(`gateway: two authenticators are called ${twice}`)
  checkPools(routes.flatMap(upstreamsOf))
  if (options.plans !== undefined) checkPlanNames(options.plans)
  const limits = { counters, rateLimitHeaders, plans: options.plans, quota: quotaSpec(options.quota) }
  const { problemMembers } = options
  return { kind: 'gateway', authenticate, routes, hosts, trustedProxies, document, policies, ...limits, problemMembers }
}

/** What the OpenAPI document of a system's gateway says about the whole API. */
export function documentInfo(spec: GatewaySpec | undefined, systemName: string): OpenApiInfo {
  return { title: systemName, version: '1.0.0', ...securityOf(spec?.authenticate ?? []), ...spec?.document }
}

/** Every way to authenticate, as its authenticator says it. Where none says more, a bearer token is taken for granted. */
function securityOf(authenticators: readonly Authenticator[]): Pick<OpenApiInfo, 'securitySchemes'> {
  if (authenticators.every(({ securitySchemes }) => securitySchemes === undefined)) return {}
  const bearer = { bearer: { type: 'http', scheme: 'bearer' } }
  const said = authenticators.map(
    ({ securitySchemes, challenge }) => securitySchemes ?? (challenge?.scheme === 'bearer' ? bearer : {}),
  )
  return { securitySchemes: Object.fromEntries(said.flatMap((schemes) => Object.entries(schemes))) }
}

/** The contracts that a gateway calls: those it exposes and those its authenticators ask. */
export function gatewayUses(spec: GatewaySpec): readonly ContractRef[] {
  const contracts: ContractRef[] = [
    ...spec.routes.flatMap(contractsOf),
    ...spec.authenticate.flatMap(({ uses }) => Object.values(uses)),
    ...(spec.counters === 'shared' || spec.plans !== undefined ? [access] : []),
  ]
  return [...new Map(contracts.map((contract) => [contract.id, contract])).values()]
}

/** An upstream, or those that a combined reply is made from. */
function upstreamsOf(route: RouteSpec): readonly UpstreamSpec[] {
  if (route.kind === 'upstream') return [route]
  return route.kind === 'combine' ? route.parts.map(({ upstream }) => upstream) : []
}

function contractsOf(route: RouteSpec): readonly ContractRef[] {
  if (route.kind === 'expose') return [route.contract]
  return route.kind === 'aggregate' ? route.parts.map(({ part }) => part.operation.contract) : []
}

/** Whether the service behind the contract `access` must run: something in the gateway asks it. */
export function needsAccess(spec: GatewaySpec): boolean {
  return gatewayUses(spec).some(({ id }) => id === access.id)
}

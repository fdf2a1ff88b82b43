/** A gateway as data: `trestle/gateway`. Every process of a system loads this; what runs a gateway is loaded where one runs. */
export {
  type AuthenticateArgs,
  type Authenticate,
  type Authenticator,
  type AuthenticatorSpec,
  type AuthenticatorUses,
  authenticator,
  type CredentialSource,
  type OutsideCaller,
  type SpentCredential,
} from './authentication/authenticator.ts'
export { apiKeys, type ApiKeysOptions } from './authentication/api-keys.ts'
export { jwt, type JwtAlgorithm, type JwtOptions, type PublicKeySet } from './authentication/jwt.ts'
export type { GatewayContext, GatewayLog } from './gateway-context.ts'
export { cache, type CacheOptions } from './cache/cache.ts'
export type { ContentCoding } from './compress/accept-encoding.ts'
export { compress, type CompressOptions } from './compress/compress.ts'
export { cors, type CorsOptions } from './cors/cors.ts'
export { rateLimit } from './limits/rate-limit.ts'
export type { RateLimitOptions, RateLimitPer, WhenStoreDown } from './limits/rate-limit-spec.ts'
export type { RateLimitHeaders } from './limits/rate-limit-headers.ts'
export type { CountersSpec, RedisCountersSpec } from './limits/counters.ts'
export { redis, type RedisOptions } from './limits/redis.ts'
export { plan, type PlanLimitOptions, type PlanOptions, type PlanQuotaOptions, type PlanSpec } from './plans/plan.ts'
export type { QuotaOptions, QuotaSpec, StatusClass } from './plans/quota-options.ts'
export { clientCredentials, type ClientCredentialsOptions } from './oidc/client-credentials.ts'
export { introspection, type IntrospectionOptions } from './oidc/introspection.ts'
export { oidc, type OidcLogin, type OidcOptions, type OidcPagesSpec } from './oidc/oidc.ts'
export type { Advice, EdgeHandler, Policy, RouteFacts, Stage } from './policy/policy.ts'
export type { ProblemMembers } from './reply/problem-response.ts'
export type { EdgeRequest, RequestNotes } from './request/edge-request.ts'
export type { RouteOptions } from './route/route-options.ts'
export type { PathAmbiguity } from './request/canonical-path.ts'
export { expose, type ExposedOperation, type ExposeOptions, type ExposeSpec } from './route/expose.ts'
export { aggregate, type AggregateOutput, type AggregateSpec, type PartMap } from './aggregate/aggregate.ts'
export { type OptionalOptions, optional, type Part, type PartRequest, part } from './aggregate/part.ts'
export { combine, type CombinedPart, type CombineOptions, type CombineSpec } from './combine/combine.ts'
export { access } from './access/contract.ts'
export {
  documentInfo,
  gateway,
  type GatewayOptions,
  type GatewaySpec,
  gatewayUses,
  needsAccess,
  type RouteSpec,
} from './gateway.ts'
export type { Page, Readiness, ServiceReadiness } from './pages/pages.ts'
export type { ForeignDocumentOptions, ForeignSource } from './document/foreign-source.ts'
export {
  upstream,
  type UpstreamHealth,
  type UpstreamMirror,
  type UpstreamOptions,
  type UpstreamSpec,
  type UpstreamTarget,
  type UpstreamTls,
} from './upstream/upstream.ts'
export { headerRules, type HeaderRulesOptions } from './header-rules/header-rules.ts'
export type { HeaderRules } from './upstream/header-rules.ts'
export { redirect, type RedirectOptions, type RedirectSpec } from './redirect.ts'

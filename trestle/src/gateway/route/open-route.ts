import type { OpenApiRoute } from '../../contract/openapi/openapi.ts'
import type { ClusterState } from '../../registry/cluster.ts'
import { exposedDocument } from '../document/exposed-document.ts'
import type { ForeignPart } from '../document/merge.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { RouteSpec } from '../gateway.ts'
import type { Endpoint } from './endpoint.ts'
import { operationEndpoint } from './operation-endpoint.ts'

/** What one entry of `routes` comes to. */
export interface OpenRoute {
  readonly endpoints: readonly Endpoint[]
  /** What the OpenAPI document says of them. */
  readonly documents: readonly OpenApiRoute[]
  /** What a foreign document says of them. */
  readonly foreign?: ForeignPart | undefined
  /** Where it leads to upstreams: how their targets stand. */
  readonly upstreams?: readonly { readonly name: string; readonly state: () => ClusterState }[]
}

type Openers = {
  readonly [K in RouteSpec['kind']]: (
    route: Extract<RouteSpec, { readonly kind: K }>,
    context: GatewayContext,
  ) => OpenRoute | Promise<OpenRoute>
}

/** By kind. What only some gateways have is loaded only for them, by `import()`. */
const openers: Openers = {
  expose: (route, context) => ({
    endpoints: route.operations.map((operation) => operationEndpoint(route, operation, context)),
    documents: route.operations.map(exposedDocument),
  }),
  aggregate: async (route, context) => (await import('../aggregate/open-aggregate.ts')).openAggregate(route, context),
  combine: async (route, context) => (await import('../combine/open-combine.ts')).openCombine(route, context),
  upstream: async (route, context) => (await import('../upstream/open-upstream.ts')).openUpstream(route, context),
  'oidc-pages': async (route, context) => (await import('../oidc/open-pages.ts')).openPages(route, context),
  redirect: async (route) => (await import('../open-redirect.ts')).openRedirect(route),
}

/** Opens a route: what answers, and what is said of it. */
export async function openRoute(route: RouteSpec, context: GatewayContext): Promise<OpenRoute> {
  return await openers[route.kind](route as never, context)
}

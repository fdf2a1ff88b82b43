import type { Access } from '../../contract/access.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

/** The stages that a request passes, in this order; telemetry is around them all, what answers is behind them. */
export const stages = [
  'limits',
  'cors',
  'authentication',
  'authorisation',
  'rate-limit',
  'validation',
  'cache',
  'resilience',
] as const
/** Where in the gateway's order a policy stands. */
export type Stage = (typeof stages)[number]

/** Answers a request, or ends it with a refusal. */
export type EdgeHandler = (request: EdgeRequest) => HttpResponse | Promise<HttpResponse>

/** Advice around the rest of the way: it may answer by itself, refuse, or pass the request on and look at the reply. */
export type Advice = (request: EdgeRequest, next: EdgeHandler) => HttpResponse | Promise<HttpResponse>

/** What a policy may know of the route that it is opened for. */
export interface RouteFacts {
  readonly method: string
  /** `/orders/{id}`, `/legacy/*`. */
  readonly template: string
  /** Host names of this route; empty: all that the gateway serves. */
  readonly hosts: readonly string[]
  /** By which plans, limits and usage name it: `orders.place`, or `GET /legacy/*`. */
  readonly name: string
  readonly access: Access
  /** What answers there. */
  readonly target: 'operation' | 'aggregate' | 'upstream' | 'redirect' | 'page'
  /** Units of a quota that one request takes. */
  readonly cost: number
}

/**
 * A named rule at a stage of the gateway. Opened once for each route when the gateway starts; where it has nothing to do
 * it is not in the way of a request.
 * @example
 * const noBots: Policy = { kind: 'policy', name: 'no-bots', stage: 'limits',
 *   open: () => (request, next) => request.headers.get('user-agent') === undefined ? refuse() : next(request) }
 */
export interface Policy {
  readonly kind: 'policy'
  readonly name: string
  readonly stage: Stage
  /** `undefined`: nothing to do for this route. */
  readonly open: (route: RouteFacts, context: GatewayContext) => Advice | undefined | Promise<Advice | undefined>
}

/** What a policy gives that holds through the advice of another one at its stage: it is named, and not in the way. */
export const throughAnother: Advice = (request, next) => next(request)

/** A route's way from the front door to what answers. */
export interface ComposedPolicies {
  readonly handle: EdgeHandler
  /** Answers a browser that asks before it asks: nobody is authenticated yet, so only what stands before that holds. */
  readonly preflight: EdgeHandler
  /** Of the policies that hold, in their order. */
  readonly names: readonly string[]
}

interface Opened {
  readonly name: string
  readonly stage: Stage
  readonly advice: Advice
}

/** Opens the policies of a route and composes them in the order of their stages, once. */
export async function composePolicies(
  policies: readonly Policy[],
  route: RouteFacts,
  context: GatewayContext,
  last: EdgeHandler,
): Promise<ComposedPolicies> {
  const opened: Opened[] = []
  for (const { name, stage, open } of inOrder(policies)) {
    const advice = await open(route, context)
    if (advice !== undefined) opened.push({ name, stage, advice })
  }
  const inTheWay = opened.filter(({ advice }) => advice !== throughAnother)
  const beforeAuthentication = inTheWay.filter(({ stage }) => stage === 'limits' || stage === 'cors')
  return {
    handle: chain(inTheWay, last),
    preflight: chain(beforeAuthentication, () => ({ status: 204, headers: [] })),
    names: opened.map(({ name }) => name),
  }
}

/** Of several that say which origins may ask only one can hold: the route's own, which comes last. */
function inOrder(policies: readonly Policy[]): readonly Policy[] {
  const isCors = ({ name, stage }: Policy) => stage === 'cors' && name === 'cors'
  const cors = policies.findLast(isCors)
  return policies
    .filter((policy) => policy === cors || !isCors(policy))
    .toSorted((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage))
}

function chain(opened: readonly Opened[], last: EdgeHandler): EdgeHandler {
  return opened.reduceRight<EdgeHandler>(
    (next, { advice }) =>
      (request) =>
        advice(request, next),
    last,
  )
}

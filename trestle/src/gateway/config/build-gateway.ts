import { gateway, type GatewaySpec } from '../gateway.ts'
import { hostMatcher } from '../request/host-match.ts'
import { trustedProxies as proxies } from '../request/trusted-headers.ts'
import { missingPlanRoutes } from '../plans/plan-routes.ts'
import { attempt, type Report } from './attempt.ts'
import type { ConfigPath } from './config-node.ts'
import { countersOf, headersOf, identitiesOf, plansOf, policiesOf } from './build-parts.ts'
import { routesOf } from './build-routes.ts'
import { defined } from './defined.ts'
import type { GatewayFile } from './gateway-schema.ts'
import { suggestion } from './nearest.ts'

/**
 * Makes what `gateway({...})` in a system.ts would; `undefined` when something was reported.
 * @param folder where relative paths start
 */
export function buildGateway(file: GatewayFile, folder: string, report: Report): GatewaySpec | undefined {
  let faulty = false
  const tell: Report = (path, message) => {
    faulty = true
    report(path, message)
  }
  checkNames(file, tell)
  checkPlans(file, tell)
  const { hosts, trustedProxies, document, rateLimitHeaders, quota } = file
  const { authenticate, routes, policies } = identitiesOf(file, tell)
  const options = {
    authenticate,
    routes: [...routes, ...routesOf(file, folder, tell)],
    policies: [...policies, ...policiesOf(file, [], tell), ...headersOf(file, tell)],
    ...defined({ hosts, trustedProxies, counters: countersOf(file, tell), plans: plansOf(file, tell) }),
    ...(document === undefined ? {} : { document: defined(document) }),
    ...(rateLimitHeaders === undefined
      ? {}
      : { rateLimitHeaders: rateLimitHeaders === false ? (false as const) : defined(rateLimitHeaders) }),
    ...(quota === undefined ? {} : { quota: defined(quota) }),
  }
  return faulty ? undefined : attempt([], report, () => gateway(options))
}

/** What the gateway as a whole would refuse, said where it stands. */
function checkNames({ hosts, trustedProxies = [], routes, listen }: GatewayFile, report: Report): void {
  const checkHosts = (names: readonly string[] = [], path: ConfigPath) =>
    names.forEach((name, at) => attempt([...path, at], report, () => hostMatcher([name])))
  checkHosts(hosts, ['hosts'])
  routes.forEach((route, at) => checkHosts(route.hosts, ['routes', at, 'hosts']))
  trustedProxies.forEach((network, at) => attempt(['trustedProxies', at], report, () => proxies([network])))
  if (listen?.adminPort !== undefined && listen.adminPort !== 0 && listen.adminPort === listen.port) {
    report(['listen', 'adminPort'], `${listen.port} is the port of the gateway itself. Give the admin listener another`)
  }
}

/** A route without a name of its own is called by method and path. */
function checkPlans({ plans = {}, routes }: GatewayFile, report: Report): void {
  const names = routes.flatMap(({ name, aggregate, methods = aggregate === undefined ? ['*'] : ['GET'], path }) =>
    name === undefined ? methods.map((method) => `${method} ${path}`) : [name],
  )
  const said = Object.entries(plans).map(
    ([plan, { routes: included = ['*'] }]) => [plan, { routes: included }] as const,
  )
  for (const { plan, at, route } of missingPlanRoutes(Object.fromEntries(said), names)) {
    report(['plans', plan, 'routes', at], `No route is called ${route}. ${suggestion(route, names)}`)
  }
}

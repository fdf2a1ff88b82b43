import { gateway, type GatewaySpec } from '../gateway.ts'
import { attempt, type Report } from './attempt.ts'
import { countersOf, headersOf, identitiesOf, plansOf, policiesOf } from './build-parts.ts'
import { routesOf } from './build-routes.ts'
import { defined } from './defined.ts'
import type { GatewayFile } from './gateway-schema.ts'

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

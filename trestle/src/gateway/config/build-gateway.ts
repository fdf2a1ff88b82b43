import { gateway, type GatewaySpec } from '../gateway.ts'
import { attempt, type Report } from './attempt.ts'
import { authenticatorsOf, countersOf, plansOf, policiesOf } from './build-parts.ts'
import { routesOf } from './build-routes.ts'
import { defined } from './defined.ts'
import type { GatewayFile } from './gateway-schema.ts'

/** Makes what `gateway({...})` in a system.ts would; `undefined` when something was reported. */
export function buildGateway(file: GatewayFile, report: Report): GatewaySpec | undefined {
  let faulty = false
  const tell: Report = (path, message) => {
    faulty = true
    report(path, message)
  }
  const { hosts, trustedProxies, document, rateLimitHeaders, quota } = file
  const options = {
    authenticate: authenticatorsOf(file, tell),
    routes: routesOf(file, tell),
    policies: policiesOf(file, [], tell),
    ...defined({ hosts, trustedProxies, counters: countersOf(file, tell), plans: plansOf(file, tell) }),
    ...(document === undefined ? {} : { document: defined(document) }),
    ...(rateLimitHeaders === undefined
      ? {}
      : { rateLimitHeaders: rateLimitHeaders === false ? (false as const) : defined(rateLimitHeaders) }),
    ...(quota === undefined ? {} : { quota: defined(quota) }),
  }
  return faulty ? undefined : attempt([], report, () => gateway(options))
}

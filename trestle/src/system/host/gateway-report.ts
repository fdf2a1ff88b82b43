import type { ClusterReport, GatewayReport, RouteReport } from '../../call/gateway-report.ts'
import type { Access } from '../../contract/access.ts'
import type { Gateway, RouteDescription } from '../../gateway/create-gateway.ts'

/** Of every route; the column of access says it better. */
const gates = new Set(['authentication', 'authorisation'])

/** What a gateway shows, and how those behind it stand. */
export function gatewayReport(
  process: string,
  gateway: Pick<Gateway, 'routes' | 'upstreams'>,
  services: readonly ClusterReport[],
): GatewayReport {
  const upstreams = gateway.upstreams().map((state): ClusterReport => ({ ...state, kind: 'upstream' }))
  const routes = gateway.routes().filter(({ target }) => target !== 'page')
  return { process, routes: routes.map(routeReport), clusters: [...upstreams, ...services] }
}

function routeReport({ method, path, hosts, name, target, access, policies }: RouteDescription): RouteReport {
  return {
    method,
    path,
    hosts,
    name,
    kind: target,
    access: accessText(access),
    policies: policies.filter((policy) => !gates.has(policy)),
  }
}

function accessText(access: Access): string {
  if (access.kind === 'scopes') return access.scopes.join(' ')
  return access.kind === 'anyone' ? 'anyone' : 'signed in'
}

import type { GatewaySpec } from '../gateway.ts'
import { hostMatcher } from '../request/host-match.ts'
import type { Endpoint } from './endpoint.ts'

/** An endpoint on the hosts of its route. */
export type HostedEndpoint = Endpoint & { readonly hosts: readonly string[] }

/** Refuses what nobody could ever reach. @throws TypeError with the remedy */
export function checkEndpoint(endpoint: HostedEndpoint, spec: Pick<GatewaySpec, 'hosts' | 'authenticate'>): void {
  checkHosts(endpoint, spec.hosts)
  checkAccess(endpoint, spec.authenticate.length)
}

function checkHosts({ hosts, method, template, place }: HostedEndpoint, served: readonly string[]): void {
  hostMatcher(hosts)
  const serves = hostMatcher(served)
  const reachable = (host: string) =>
    serves(host.replace(/^\*/, 'any')) || served.some((one) => host.startsWith('*') && hostMatcher([host])(one))
  const lost = hosts.find((host) => !reachable(host))
  if (lost === undefined) return
  throw new TypeError(
    `${place} is for the host ${lost}, which the gateway does not serve (${method} ${template}): ` +
      `add it to the gateway's hosts (${served.join(', ')}) or leave it out`,
  )
}

/**
 * An operation that needs a caller may be exposed before there is a way to be one: it answers 401 and says so in its
 * contract. What only the gateway knows (an upstream, an aggregate) would be lost without a word.
 */
function checkAccess({ access, target, method, template, place }: HostedEndpoint, authenticators: number): void {
  if (authenticators > 0 || access.kind === 'anyone' || target === 'operation' || target === 'page') return
  throw new TypeError(
    `${place} needs ${access.kind === 'scopes' ? `the scopes ${access.scopes.join(' ')}` : 'a signed-in caller'}, but the ` +
      `gateway authenticates nobody: ${method} ${template} would refuse everyone. Give the gateway authenticate: [...], or ` +
      'the route access: anyone()',
  )
}

/** Whether nothing is left of `GET /` for a page of the gateway. */
export function answersRoot({ template, method, hosts }: HostedEndpoint): boolean {
  return hosts.length === 0 && (template === '/' || template === '/*') && (method === 'GET' || method === '*')
}

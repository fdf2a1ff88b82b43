import { type Access, anyone, scopes, signedIn } from '../../contract/access.ts'
import { gateway, type GatewaySpec, type RouteSpec } from '../gateway.ts'
import { rateLimit } from '../limits/rate-limit.ts'
import type { Policy } from '../policy/policy.ts'
import type { RouteOptions } from '../route/route-options.ts'
import { upstream, type UpstreamOptions } from '../upstream/upstream.ts'
import type { ConfigPath } from './config-node.ts'
import type { GatewayFile, RouteEntry, UpstreamEntry } from './gateway-schema.ts'
import { suggestion } from './nearest.ts'

/** Says that what stands at a path cannot be. */
export type Report = (path: ConfigPath, message: string) => void

/** Makes what `gateway({...})` in a system.ts would; `undefined` when something was reported. */
export function buildGateway(file: GatewayFile, report: Report): GatewaySpec | undefined {
  let faulty = false
  const tell: Report = (path, message) => {
    faulty = true
    report(path, message)
  }
  const routes = file.routes.map((entry, at) =>
    attempt(['routes', at], tell, () => routeOf(entry, file, ['routes', at], tell)),
  )
  const policies = policiesOf(file, [], tell)
  checkUsed(file, tell)
  if (faulty) return undefined
  const { hosts = [], trustedProxies = [], document = {}, counters = 'process' } = defined(file)
  return attempt([], tell, () =>
    gateway({
      routes: routes.filter((route) => route !== undefined),
      policies,
      hosts,
      trustedProxies,
      document: defined(document),
      counters,
    }),
  )
}

/** What a part refuses is said at the place it was made from. */
function attempt<T>(path: ConfigPath, report: Report, make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    report(path, error.message)
    return undefined
  }
}

function routeOf(entry: RouteEntry, file: GatewayFile, path: ConfigPath, report: Report): RouteSpec | undefined {
  const { path: pattern, upstream: name } = entry
  if (name === undefined) {
    report(path, `${pattern} leads nowhere. Give it upstream`)
    return undefined
  }
  const known = file.upstreams ?? {}
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (found === undefined) {
    report([...path, 'upstream'], `There is no upstream ${name}. ${suggestion(name, Object.keys(known))}`)
    return undefined
  }
  return upstream(pattern, found.targets.map(defined), upstreamOptions(entry, found, path, report))
}

function upstreamOptions(entry: RouteEntry, found: UpstreamEntry, path: ConfigPath, report: Report): UpstreamOptions {
  const { targets: _, ...shared } = found
  const { path: __, upstream: ___, access, limits, headers, ...own } = entry
  const both = {
    request: mergedRules(found.headers?.request, headers?.request),
    response: mergedRules(found.headers?.response, headers?.response),
  }
  // What stands in a file is checked text; the builders check what the schema does not.
  return defined({
    ...defined(shared),
    ...defined(own),
    headers: both,
    access: accessOf(access),
    policies: policiesOf({ limits }, path, report),
  }) as UpstreamOptions & RouteOptions
}

type Rules = NonNullable<NonNullable<RouteEntry['headers']>['request']>

function mergedRules(shared: Rules = {}, own: Rules = {}) {
  return { set: { ...shared.set, ...own.set }, remove: [...(shared.remove ?? []), ...(own.remove ?? [])] }
}

function accessOf(access: RouteEntry['access']): Access {
  if (access === 'anyone') return anyone()
  if (access === undefined || access === 'signedIn') return signedIn()
  return scopes(...(access as [string, ...string[]]))
}

function policiesOf({ limits = [] }: Pick<RouteEntry, 'limits'>, path: ConfigPath, report: Report): readonly Policy[] {
  const made = limits.map((limit, at) => attempt([...path, 'limits', at], report, () => rateLimit(defined(limit))))
  return made.filter((policy) => policy !== undefined)
}

/** An upstream that no route uses is a mistake: of its name, or of somebody who believes that it is fronted. */
function checkUsed({ upstreams = {}, routes }: GatewayFile, report: Report): void {
  const used = new Set(routes.map((route) => route.upstream))
  for (const name of Object.keys(upstreams)) {
    if (!used.has(name)) report(['upstreams', name], `No route uses the upstream ${name}. Add one, or remove it`)
  }
}

/** Without what is not there: options that are absent have their defaults. */
function defined<T>(value: T): Defined<T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as Defined<T>
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>
}

type Defined<T> = T extends object ? { [K in keyof T]: Exclude<T[K], undefined> } : T

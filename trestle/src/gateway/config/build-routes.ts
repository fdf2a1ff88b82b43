import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Access, anyone, scopes, signedIn } from '../../contract/access.ts'
import { combine } from '../combine/combine.ts'
import type { RouteSpec } from '../gateway.ts'
import { redirect } from '../redirect.ts'
import { clientCredentials } from '../oidc/client-credentials.ts'
import type { Policy } from '../policy/policy.ts'
import type { RouteOptions } from '../route/route-options.ts'
import { shapeOf } from '../route/route-template.ts'
import { upstream, type UpstreamOptions, type UpstreamSpec } from '../upstream/upstream.ts'
import { attempt, type Report } from './attempt.ts'
import { policiesOf } from './build-parts.ts'
import { checkTargets } from './check-targets.ts'
import type { ConfigPath } from './config-node.ts'
import { defined } from './defined.ts'
import type { GatewayFile, RouteEntry, UpstreamEntry } from './gateway-schema.ts'
import { suggestion } from './nearest.ts'

/** The routes of a file; those that cannot be are reported and left out. */
export function routesOf(file: GatewayFile, folder: string, report: Report): readonly RouteSpec[] {
  const { routes, authenticate = [] } = file
  checkUsed(file, report)
  checkCollisions(routes, report)
  checkDocuments(file, folder, report)
  const faulty = checkTargets(file, report)
  const tokens = tokensOf(file, report)
  const made = routes.map((entry, at) => {
    const path = ['routes', at]
    checkReachable(entry, authenticate.length, path, report)
    return attempt(path, report, () => routeOf(entry, file, { folder, path, report, tokens, faulty }))
  })
  return made.filter((route) => route !== undefined)
}

const forwardingOnly = [
  'stripPrefix',
  'addPrefix',
  'rewrite',
  'methods',
  'name',
  'host',
  'timeoutMs',
  'idleTimeoutMs',
  'bodyMaxBytes',
  'retries',
  'headers',
  'identity',
  'mirror',
] as const

interface Place {
  readonly folder: string
  readonly path: ConfigPath
  readonly report: Report
  /** By upstream: one for all routes to it, so that they share the token. */
  readonly tokens: ReadonlyMap<string, Policy>
  /** Upstreams of which more has been reported already. */
  readonly faulty: ReadonlySet<string>
}

function tokensOf({ upstreams = {} }: GatewayFile, report: Report): ReadonlyMap<string, Policy> {
  const made = Object.entries(upstreams).flatMap(([name, { clientCredentials: options }]) => {
    const path = ['upstreams', name, 'clientCredentials']
    const policy = options && attempt(path, report, () => clientCredentials(defined(options)))
    return policy === undefined ? [] : [[name, policy] as const]
  })
  return new Map(made)
}

function routeOf(entry: RouteEntry, file: GatewayFile, place: Place): RouteSpec | undefined {
  const { path, report } = place
  const { path: pattern, upstream: name, redirect: elsewhere, aggregate: parts } = entry
  const ways = [name, elsewhere, parts].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    const what = ways.length === 0 ? 'leads nowhere' : 'leads to two places'
    report(path, `${pattern} ${what}. Give it one of upstream, aggregate and redirect`)
    return undefined
  }
  const options = routeOptions(entry, path, report)
  if (elsewhere !== undefined) {
    const odd = forwardingOnly.filter((key) => entry[key] !== undefined)
    for (const key of odd) report([...path, key], `${key} means nothing for a redirect. Remove it`)
    const access = entry.access === undefined ? {} : { access: accessOf(entry.access) }
    const { to, ...rest } = defined(elsewhere)
    return redirect(pattern, to, { ...options, ...access, ...rest })
  }
  if (parts !== undefined) return aggregateOf(entry, parts, options, file, place)
  return upstreamOf(entry, String(name), options, file, place)
}

/** A route to an upstream; `undefined` when there is none of this name, or none that can be used. */
function upstreamOf(
  entry: RouteEntry,
  name: string,
  options: RouteOptions,
  file: GatewayFile,
  { folder, path, report, tokens, faulty }: Place,
): UpstreamSpec | undefined {
  const known = file.upstreams ?? {}
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (found === undefined) {
    report([...path, 'upstream'], `There is no upstream ${name}. ${suggestion(name, Object.keys(known))}`)
    return undefined
  }
  if (faulty.has(name)) return undefined
  const targets = found.targets.map((target) => (typeof target === 'string' ? target : defined(target)))
  const token = tokens.get(name)
  const policies = [...(options.policies ?? []), ...(token === undefined ? [] : [token])]
  return upstream(entry.path, targets, {
    ...upstreamOptions(entry, found, { ...options, policies }, folder),
    pool: name,
  })
}

const ofParts = forwardingOnly.filter((key) => key !== 'name' && key !== 'timeoutMs')

/** Each part is a route to its upstream that only the whole leads to. */
function aggregateOf(
  entry: RouteEntry,
  parts: NonNullable<RouteEntry['aggregate']>,
  options: RouteOptions,
  file: GatewayFile,
  place: Place,
): RouteSpec | undefined {
  const { path, report } = place
  for (const key of ofParts.filter((one) => entry[one] !== undefined)) {
    report([...path, key], `${key} means nothing for an aggregate. Say it of its upstreams`)
  }
  const made = Object.entries(parts).map(([field, part]) => {
    const at = [...path, 'aggregate', field]
    const { access = entry.access, timeoutMs, path: rewrite, optional, query } = part
    const asked = { path: entry.path, access, rewrite, timeoutMs }
    const spec = attempt(at, report, () => upstreamOf(asked, part.upstream, {}, file, { ...place, path: at }))
    return spec && ([field, { upstream: { ...spec, openapi: undefined }, ...defined({ optional, query }) }] as const)
  })
  const all = made.filter((part) => part !== undefined)
  if (all.length < made.length) return undefined
  const { name, timeoutMs } = entry
  return combine(entry.path, Object.fromEntries(all), {
    ...options,
    ...defined({ name, timeoutMs }),
    access: accessOf(entry.access),
  })
}

function routeOptions(entry: RouteEntry, path: ConfigPath, report: Report): RouteOptions {
  const { hosts, allowInPath, cost } = entry
  return { ...defined({ hosts, allowInPath, cost }), policies: policiesOf(entry, path, report) }
}

/** What a route says goes before what its upstream says; headers are put together. */
function upstreamOptions(
  entry: RouteEntry,
  found: UpstreamEntry,
  options: RouteOptions,
  folder: string,
): UpstreamOptions {
  const { targets: _, headers: shared, openapi, clientCredentials: __, ...ofUpstream } = found
  const own = Object.fromEntries(forwardingOnly.map((key) => [key, entry[key]]))
  const headers = {
    request: mergedRules(shared?.request, entry.headers?.request),
    response: mergedRules(shared?.response, entry.headers?.response),
  }
  // The schema has the options' own forms; that what is absent has no key is what `defined` does.
  const document = openapi && {
    openapi: { ...defined(openapi), document: pathToFileURL(resolve(folder, openapi.document)) },
  }
  const access = accessOf(entry.access)
  return { ...defined(ofUpstream), ...document, ...defined(own), ...options, headers, access } as UpstreamOptions
}

type Rules = NonNullable<NonNullable<RouteEntry['headers']>['request']>

function mergedRules(shared: Rules = {}, own: Rules = {}) {
  return { set: { ...shared.set, ...own.set }, remove: [...(shared.remove ?? []), ...(own.remove ?? [])] }
}

function accessOf(access: RouteEntry['access']): Access {
  if (access === 'anyone') return anyone()
  if (access === undefined || access === 'signedIn') return signedIn()
  // At least one: the schema says so.
  return scopes(...(access as [string, ...string[]]))
}

/** A route that refuses everybody is a mistake. */
function checkReachable(entry: RouteEntry, authenticators: number, path: ConfigPath, report: Report): void {
  const { access, upstream: name, aggregate } = entry
  const open = access === 'anyone' || (access === undefined && name === undefined && aggregate === undefined)
  if (open || authenticators > 0) return
  report(
    path,
    `${entry.path} needs a caller, but the gateway authenticates nobody. Give the route access: anyone, or the gateway authenticate`,
  )
}

/** An upstream that no route uses is a mistake: of its name, or of somebody who believes that it is fronted. */
function checkUsed({ upstreams = {}, routes }: GatewayFile, report: Report): void {
  const used = new Set(
    routes.flatMap(({ upstream: name, aggregate = {} }) => [
      name,
      ...Object.values(aggregate).map((part) => part.upstream),
    ]),
  )
  for (const name of Object.keys(upstreams)) {
    if (!used.has(name)) report(['upstreams', name], `No route uses the upstream ${name}. Add one, or remove it`)
  }
}

/** What is in it is for the gateway to find out when it opens. */
function checkDocuments({ upstreams = {} }: GatewayFile, folder: string, report: Report): void {
  for (const [name, { openapi }] of Object.entries(upstreams)) {
    if (openapi === undefined || existsSync(resolve(folder, openapi.document))) continue
    report(['upstreams', name, 'openapi', 'document'], `There is no file ${openapi.document}. Correct the path`)
  }
}

/** Two routes with one method, one shape of path and a host in common. */
function checkCollisions(routes: readonly RouteEntry[], report: Report): void {
  const seen = new Map<string, number>()
  routes.forEach(({ path, aggregate, methods = aggregate === undefined ? ['*'] : ['GET'], hosts = ['*'] }, at) => {
    const shape = shapeOrNone(path)
    if (shape === undefined) return
    const keys = hosts.flatMap((host) => methods.map((method) => `${host.toLowerCase()} ${method} ${shape}`))
    const other = keys.map((key) => seen.get(key)).find((place) => place !== undefined)
    if (other !== undefined) {
      const where = `routes[${other}] (${routes[other]?.path})`
      report(['routes', at, 'path'], `${path} is taken by ${where}: same host, path and method. Change one of them`)
    }
    for (const key of keys) seen.set(key, at)
  })
}

/** A path that is none is reported by the route that has it. */
function shapeOrNone(path: string): string | undefined {
  try {
    return shapeOf(path)
  } catch {
    return undefined
  }
}

import { createPathTree, type PathTree } from './path-tree.ts'
import { shapeOf } from './route-template.ts'

/** What a route table keeps: hosts, a template with `{fields}`, a method, and where it was written. */
export interface RouteKey {
  readonly method: string
  /** `/orders/{id}`: each field is a whole segment; `/legacy/*` is `/legacy` and everything below. */
  readonly template: string
  /** Exactly or as `*.example.com`; none: every host. */
  readonly hosts?: readonly string[]
  /** Named when two routes collide: `orders.find, exposed by expose(orders)`. */
  readonly place: string
}

export interface RouteMatch<R extends RouteKey> {
  /** By method. All of them have the same shape of path. */
  readonly routes: ReadonlyMap<string, R>
  /** Values of the path's fields in their order, still percent-encoded; of a catch-all what is below it. */
  readonly values: readonly string[]
}

export interface RouteTable<R extends RouteKey> {
  /**
   * The routes of a canonical path: those of the host by its name, of the host by a wildcard, of every host, whichever
   * have the path first; there static segments before fields before a catch-all. `undefined`: none.
   * @param host in lower case, without the port
   */
  match(host: string, path: string): RouteMatch<R> | undefined
  readonly routes: readonly R[]
}

type Methods<R> = ReadonlyMap<string, R>
const everyHost = ''

/**
 * Builds the table.
 * @param onVisit told of each node that a look-up visits; for tests that count work
 * @throws TypeError when two routes have the same method, the same shape of path and a host in common; names both
 */
export function createRouteTable<R extends RouteKey>(routes: readonly R[], onVisit?: () => void): RouteTable<R> {
  const trees = new Map(
    [...byHostAndShape(routes)].map(([host, shapes]) => {
      const entries = [...shapes.values()].map((methods) => ({ template: templateOf(methods), item: methods }))
      return [host, createPathTree<Methods<R>>(entries, onVisit)]
    }),
  )
  const every = trees.get(everyHost)
  const onlyEvery = trees.size === (every === undefined ? 0 : 1)
  return {
    routes,
    match(host, path) {
      const own = onlyEvery ? undefined : ofHost(trees, host, path)
      const found = own ?? every?.find(path)
      return found === undefined ? undefined : { routes: found.item, values: found.values }
    },
  }
}

function ofHost<R>(trees: ReadonlyMap<string, PathTree<Methods<R>>>, host: string, path: string) {
  if (host === everyHost || host.startsWith('*')) return undefined
  const label = host.indexOf('.')
  const exact = trees.get(host)?.find(path)
  return exact ?? (label < 1 ? undefined : trees.get(`*${host.slice(label)}`)?.find(path))
}

function byHostAndShape<R extends RouteKey>(routes: readonly R[]) {
  const all = new Map<string, Map<string, Map<string, R>>>()
  for (const route of routes) {
    const hosts = route.hosts === undefined || route.hosts.length === 0 ? [everyHost] : new Set(route.hosts)
    for (const written of hosts) {
      const host = written.toLowerCase()
      const shapes = all.get(host) ?? new Map<string, Map<string, R>>()
      const shape = shapeOf(route.template)
      const methods = shapes.get(shape) ?? new Map<string, R>()
      const other = methods.get(route.method)
      if (other !== undefined) throw new TypeError(collision(route, other, host))
      all.set(host, shapes.set(shape, methods.set(route.method, route)))
    }
  }
  return all
}

/** Of whichever: they differ in the names of their fields only, which the tree does not know. */
function templateOf<R extends RouteKey>(methods: Methods<R>): string {
  const [first] = methods.values()
  return (first as R).template
}

function collision(route: RouteKey, other: RouteKey, host: string): string {
  const on = host === everyHost ? '' : ` on ${host}`
  return (
    `Two routes answer ${route.method} ${route.template}${on}: ${other.place} (${other.template}) and ` +
    `${route.place} (${route.template}). Give one of them a prefix or leave it out.`
  )
}

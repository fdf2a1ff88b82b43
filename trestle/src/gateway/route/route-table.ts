import findMyWay from 'find-my-way'
import { shapeOf } from './route-template.ts'

/** What a route table keeps: a template with `{fields}`, a method, and where it was written. */
export interface RouteKey {
  readonly method: string
  /** `/orders/{id}`: each field is a whole segment. */
  readonly template: string
  /** Named when two routes collide: `orders.find, exposed by expose(orders)`. */
  readonly place: string
}

export interface RouteMatch<R extends RouteKey> {
  /** By method. All of them have the same shape of path. */
  readonly routes: ReadonlyMap<string, R>
  /** Values of the path's fields in their order, still percent-encoded. */
  readonly values: readonly string[]
}

export interface RouteTable<R extends RouteKey> {
  /** The routes of a canonical path, static segments before fields; `undefined`: none. */
  match(path: string): RouteMatch<R> | undefined
  readonly routes: readonly R[]
}

const longestValue = 8_192
/** Stands for `%` while matching, so that the matcher decodes nothing: a canonical path cannot contain it. */
const escapeMark = '\u0001'

/**
 * Builds the table. @throws TypeError when two routes have the same method and the same shape of path; names both
 */
export function createRouteTable<R extends RouteKey>(routes: readonly R[]): RouteTable<R> {
  const byPattern = new Map<string, Map<string, R>>()
  for (const route of routes) {
    const shape = shapeOf(route.template)
    const methods = byPattern.get(shape) ?? new Map<string, R>()
    const other = methods.get(route.method)
    if (other !== undefined) throw new TypeError(collision(route, other))
    byPattern.set(shape, methods.set(route.method, route))
  }
  const router = findMyWay({ caseSensitive: true, maxParamLength: longestValue })
  for (const [shape, methods] of byPattern) router.on('GET', shape, unused, methods)
  return {
    routes,
    match(path) {
      const found = router.find('GET', path.includes('%') ? path.replaceAll('%', escapeMark) : path)
      if (found === null) return undefined
      const values = Object.values(found.params).map((value) => (value ?? '').replaceAll(escapeMark, '%'))
      return values.includes('') ? undefined : { routes: found.store as ReadonlyMap<string, R>, values }
    },
  }
}

function unused(): void {
  // The matcher wants a handler; we only ask it where a path leads.
}

function collision(route: RouteKey, other: RouteKey): string {
  return (
    `Two routes answer ${route.method} ${route.template}: ${other.place} (${other.template}) and ` +
    `${route.place} (${route.template}). Give one of them a prefix or leave it out.`
  )
}

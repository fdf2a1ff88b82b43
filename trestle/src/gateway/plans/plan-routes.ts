import type { PlanSpec } from './plan.ts'

/** Whether what a plan says of routes has the one of this name: the name itself, `lookup.*`, or `*` for all. */
export function includesRoute(pattern: string, routeName: string): boolean {
  if (pattern === '*' || pattern === routeName) return true
  return pattern.endsWith('.*') && routeName.startsWith(pattern.slice(0, -1))
}

/** What declared plans say of routes that are not there: a slip of the pen would shut customers out of what they pay for. */
export function missingPlanRoutes(
  plans: Readonly<Record<string, Pick<PlanSpec, 'routes'>>>,
  routeNames: readonly string[],
): readonly { readonly plan: string; readonly at: number; readonly route: string }[] {
  return Object.entries(plans).flatMap(([plan, { routes }]) =>
    routes.flatMap((route, at) => {
      const found = route === '*' || routeNames.some((name) => includesRoute(route, name))
      return found ? [] : [{ plan, at, route }]
    }),
  )
}

/** @throws TypeError when a declared plan names a route that is not there */
export function checkPlanRoutes(plans: Readonly<Record<string, PlanSpec>>, routeNames: readonly string[]): void {
  const [missing] = missingPlanRoutes(plans, routeNames)
  if (missing === undefined) return
  const { plan, route } = missing
  throw new TypeError(
    `gateway: the plan ${plan} includes ${route}, but no route is called so; write one of the names that the gateway has, contract.* or *`,
  )
}

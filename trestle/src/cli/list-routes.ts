import { connectAdmin } from '../admin/index.ts'
import type { RouteReport } from '../call/gateway-report.ts'
import { contextFor } from './context.ts'
import { dataDirOf } from './data-dir-of.ts'
import { routesTable } from './gateway-tables.ts'
import type { CliIo } from './io.ts'
import { openedOnce } from './opened-once.ts'
import { systemOf } from './system-contracts.ts'

/** A route, and the gateways that have it. */
type HeldRoute = RouteReport & { readonly gateways: readonly string[] }

/** Prints the routes of the running gateways, or of the definition where none runs. */
export async function listRoutes(
  io: CliIo,
  argument: string | undefined,
  { json }: { readonly json: boolean },
): Promise<void> {
  const context = contextFor(io, argument)
  const running = await runningRoutes(await dataDirOf(io, context))
  const routes = running ?? (await definedRoutes(context.found.file))
  if (json) return io.out(`${JSON.stringify(routes, undefined, 2)}\n`)
  const gateways = new Set(routes.flatMap((route) => route.gateways))
  const partly = (route: HeldRoute) => route.gateways.length < gateways.size
  io.out(routesTable(routes.filter((route) => !partly(route))))
  for (const gateway of gateways) {
    const own = routes.filter((route) => partly(route) && route.gateways.includes(gateway))
    if (own.length > 0) io.out(`\nonly in ${gateway}:\n${routesTable(own)}`)
  }
}

async function runningRoutes(dataDir: string): Promise<readonly HeldRoute[] | undefined> {
  const admin = await connectAdmin({ dataDir })
  if (admin === undefined) return undefined
  const reports = await admin.operator.gateways().finally(() => admin.close())
  const held = new Map<string, { readonly route: RouteReport; readonly gateways: string[] }>()
  for (const { process, routes } of reports) {
    for (const route of routes) {
      const key = JSON.stringify(route)
      const known = held.get(key) ?? { route, gateways: [] }
      known.gateways.push(process)
      held.set(key, known)
    }
  }
  return [...held.values()].map(({ route, gateways }) => ({ ...route, gateways }))
}

async function definedRoutes(file: string): Promise<readonly HeldRoute[]> {
  const { gateway, name } = await systemOf(file)
  const routes = await openedOnce(gateway, name)
  return routes.map((route) => ({ ...route, gateways: [] }))
}

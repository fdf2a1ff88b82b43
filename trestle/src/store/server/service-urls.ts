import { type Clock, systemClock } from '../../std/clock.ts'
import { defaultLimits } from '../connection/connections.ts'
import { PgConnection } from '../connection/pg-connection.ts'
import type { ConnectionOptions } from '../provider.ts'
import type { StoreConnection } from '../store.ts'
import { PoolBudget } from './pool-budget.ts'
import { readServerLimits } from './server-limits.ts'

const defaultPoolMax = 8
/** For migrations and for looking after the server. */
const ownConnections = 2
const remedy = "Give services smaller pools or fewer replicas, or raise the server's max_connections"

/** Databases that somebody else made and that are named one by one. */
export interface ServiceUrls {
  has(service: string): boolean
  connectionFor(service: string, options?: ConnectionOptions): Promise<StoreConnection>
}

/** The variable that names a service's database: `TRESTLE_STORE_ORDERS_URL`. */
export function serviceUrlVariable(service: string): string {
  return `TRESTLE_STORE_${service.replaceAll(/[^a-z0-9]/gi, '_').toUpperCase()}_URL`
}

/** Reads `TRESTLE_STORE_<SERVICE>_URL`. Services on one server share its connections. */
export function serviceUrls(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock = systemClock,
): ServiceUrls {
  const budgets = new Map<string, Promise<PoolBudget>>()
  const urlOf = (service: string) => env[serviceUrlVariable(service)] || undefined

  async function budgetOf(url: string): Promise<PoolBudget> {
    const admin = await PgConnection.open({ ...defaultLimits, url, applicationName: 'trestle admin', clock })
    try {
      const { connectionsMax, reserved } = await readServerLimits(admin)
      return new PoolBudget(connectionsMax, reserved + ownConnections, remedy)
    } finally {
      await admin.end()
    }
  }

  function sharedBudget(url: string): Promise<PoolBudget> {
    const server = serverOf(url)
    const known = budgets.get(server)
    if (known !== undefined) return known
    const budget = budgetOf(url)
    budgets.set(server, budget)
    budget.catch(() => budgets.delete(server))
    return budget
  }

  return {
    has: (service) => urlOf(service) !== undefined,
    async connectionFor(service, { poolMax = defaultPoolMax, processes = () => 1 } = {}) {
      const url = urlOf(service)
      if (url === undefined) throw new Error(`${serviceUrlVariable(service)} is not set`)
      const budget = await sharedBudget(url)
      budget.reserve(service, poolMax, processes)
      return { url, poolMax }
    },
  }
}

function serverOf(text: string): string {
  const url = URL.parse(text)
  return url === null ? text : `${url.searchParams.get('host') ?? url.hostname}:${url.port || '5432'}`
}

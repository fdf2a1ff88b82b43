import { createHmac } from 'node:crypto'
import { type Clock, systemClock } from '../../std/clock.ts'
import { defaultLimits } from '../connection/connections.ts'
import { PgConnection } from '../connection/pg-connection.ts'
import type { ConnectionOptions, StoreProvider } from '../provider.ts'
import type { StoreConnection } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { createDatabase } from './create-database.ts'
import { databaseName } from './database-names.ts'
import { PoolBudget } from './pool-budget.ts'
import { readServerLimits } from './server-limits.ts'

export interface ServerOptions {
  /** Of a role that may create databases and roles: `postgresql://admin:password@host/postgres`. */
  readonly url: string
  /** Put before the name of each database and role, so that systems can share a server; default none. */
  readonly prefix?: string
  readonly clock?: Clock
}

const defaultPoolMax = 8
/** For the short connections that make databases and apply migrations. */
const ownConnections = 4
const remedy = "Give services smaller pools or fewer replicas, or raise the server's max_connections"

/**
 * A PostgreSQL server, 15 or newer, for all services. Databases and roles are made when they are missing. The services'
 * passwords are derived from the administrator's, so that every machine that knows the one knows the others.
 * @throws StoreError `unavailable`, `store_config_invalid`
 * @example
 * const provider = await serverPostgres({ url: process.env.TRESTLE_POSTGRES_URL })
 */
export async function serverPostgres(options: ServerOptions): Promise<StoreProvider> {
  const { prefix = '', clock = systemClock } = options
  const url = parseUrl(options.url)
  const asAdmin = adminOf(options.url, clock)
  const { connectionsMax, reserved } = await asAdmin(readServerLimits)
  const budget = new PoolBudget(connectionsMax, reserved + ownConnections, remedy)
  return {
    description: `PostgreSQL at ${url.searchParams.get('host') ?? url.host}`,
    async connectionFor(service: string, { poolMax = defaultPoolMax, processes = () => 1 }: ConnectionOptions = {}) {
      const name = databaseName(service, prefix)
      budget.reserve(service, poolMax, processes)
      const password = passwordOf(name, url)
      await asAdmin((admin) => createDatabase(admin, name, password, clock))
      return { url: urlFor(url, name, password), poolMax } satisfies StoreConnection
    },
    close: () => Promise.resolve(),
  }
}

function adminOf(url: string, clock: Clock) {
  return async <T>(use: (admin: PgConnection) => Promise<T>): Promise<T> => {
    const admin = await PgConnection.open({ ...defaultLimits, url, applicationName: 'trestle admin', clock })
    try {
      return await use(admin)
    } finally {
      await admin.end()
    }
  }
}

function passwordOf(role: string, { password }: URL): string {
  return createHmac('sha256', decodeURIComponent(password)).update(`trestle store role ${role}`).digest('base64url')
}

function urlFor(admin: URL, name: string, password: string): string {
  const url = new URL(admin)
  url.username = name
  url.password = password
  url.pathname = `/${name}`
  return url.href
}

/** Never repeats the text: it holds a password. */
function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new StoreError('store_config_invalid', 'The server is given as postgresql://role:password@host:port/database')
  }
  if (url.password === '') {
    throw new StoreError(
      'store_config_invalid',
      "The server's URL has no password, and the services' passwords are derived from it. " +
        'Add one, or give each service its own TRESTLE_STORE_<SERVICE>_URL',
    )
  }
  return url
}

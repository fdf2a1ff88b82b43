import { rmSync } from 'node:fs'
import { type Clock, systemClock } from '../../std/clock.ts'
import { type StoreLog, type StoreProvider, silentLog } from '../provider.ts'
import { serverAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { initCluster } from './init-cluster.ts'
import { keepingAlive } from './keeping-alive.ts'
import { type Layout, prepareLayout } from './layout.ts'
import { claimDirectory, type OwnerLock } from './owner-lock.ts'
import { Secrets } from './secrets.ts'
import { ServerAccess } from './server-access.ts'
import type { Durability } from './server-settings.ts'
import { SupervisedServer, type SuperviseOptions } from './supervised-server.ts'

export interface EmbeddedOptions {
  /** The project's data directory, `.trestle`; the server's files lie in `postgres` below it. */
  readonly dataDir: string
  readonly log?: StoreLog
  readonly clock?: Clock
  /** What the server accepts at once; default 200. At least the sum of all pools and 10. */
  readonly connectionsMax?: number
  /**
   * `disk`, the default: what was committed survives a crash of the machine. `process`: it survives the server only; for data
   * that nobody will miss, such as a test's.
   */
  readonly durability?: Durability
  /** Restarts of a dying server within a minute before it is left down, with an error in the log; default 10. */
  readonly restartsMax?: number
  /** Pause after a restart that failed; default 10,000. */
  readonly failedStartPauseMs?: number
  /** Told what is done while a start takes long: the first one makes the database directory. */
  readonly progress?: (message: string) => void
}

export interface EmbeddedProvider extends StoreProvider {
  readonly state: () => 'running' | 'recovering' | 'stopped'
  /** Process id of the server; another one after a restart. */
  readonly pid: number
  /** A server that an earlier process had left running was taken over. */
  readonly adopted: boolean
  /** This start made the database directory. */
  readonly created: boolean
  /** Where the data lies. */
  readonly dataDir: string
  /** Unix socket directory, or `127.0.0.1:port`. */
  readonly address: string
  /** Why data or programs are not where one would look for them; empty when they are. */
  readonly moved: readonly string[]
  /** The administrator's URL of the server. It holds a password: never print it. */
  adminUrl(): string
  /** What `already_running` tells others, `{ gateway: 'http://127.0.0.1:4000' }` for instance. */
  announce(addresses: Readonly<Record<string, string>>): void
  /** Closes, and deletes all data. */
  destroy(): Promise<void>
}

/**
 * PostgreSQL beside this process: installed by npm, started, watched, restarted when it dies and stopped by us. A server
 * that a killed process left running is adopted. Exactly one process owns a data directory.
 * @throws StoreError `already_running`, `embedded_unavailable`, `embedded_failed`
 * @example
 * await using stack = new AsyncDisposableStack()
 * const provider = stack.adopt(await embeddedPostgres({ dataDir: '.trestle' }), (p) => p.close())
 * const store = openStore(spec, await provider.connectionFor('orders'))
 */
export async function embeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedProvider> {
  const { dataDir, log = silentLog, clock = systemClock, connectionsMax = 200, progress } = options
  const { restartsMax = 10, failedStartPauseMs = 10_000, durability = 'disk' } = options
  const account = serverAccount()
  const layout = prepareLayout(dataDir, findBinaries(), account)
  for (const what of layout.moved) log.info({}, what)
  const lock = claimDirectory(layout.home, () => clock.now())
  try {
    return await keepingAlive(async () => {
      progress?.('starting PostgreSQL')
      const secrets = new Secrets(layout.home)
      const created = await initCluster(layout, account, secrets.admin)
      const server = await superviseServer({
        layout,
        account,
        connectionsMax,
        durability,
        clock,
        log,
        restartsMax,
        failedStartPauseMs,
      })
      const access = new ServerAccess(server, secrets, clock, connectionsMax)
      await access.secure().catch(async (error: unknown) => {
        await server.stop()
        throw error
      })
      return providerOf(server, access, layout, lock, created)
    })
  } catch (error) {
    lock.release()
    throw error
  }
}

function providerOf(
  server: SupervisedServer,
  access: ServerAccess,
  layout: Layout,
  lock: OwnerLock,
  created: boolean,
): EmbeddedProvider {
  const close = async () => {
    await keepingAlive(() => server.stop())
    if (layout.socketsDir !== undefined) rmSync(layout.socketsDir, { recursive: true, force: true })
    lock.release()
  }
  return {
    description: `PostgreSQL 18, embedded, data in ${layout.cluster}`,
    get pid() {
      return server.pid
    },
    adopted: server.adopted,
    created,
    dataDir: layout.cluster,
    get address() {
      return access.address
    },
    moved: layout.moved,
    state: () => server.state,
    adminUrl: () => access.adminUrl,
    announce: (addresses) => lock.announce(addresses),
    connectionFor: (service, options) => access.connectionFor(service, options),
    close,
    async destroy() {
      await close()
      rmSync(layout.home, { recursive: true, force: true })
      if (layout.elsewhere !== undefined) rmSync(layout.elsewhere, { recursive: true, force: true })
    },
  }
}

type SuperviseChoices = Omit<SuperviseOptions, 'readyTimeoutMs' | 'startTimeoutMs' | 'restartPeriodMs'>

function superviseServer(choices: SuperviseChoices): Promise<SupervisedServer> {
  return SupervisedServer.open({
    ...choices,
    readyTimeoutMs: 60_000,
    startTimeoutMs: 60_000,
    restartPeriodMs: 60_000,
  })
}

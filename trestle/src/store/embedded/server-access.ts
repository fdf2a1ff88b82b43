import type { Clock } from '../../std/clock.ts'
import { defaultLimits } from '../connection/connections.ts'
import { PgConnection } from '../connection/pg-connection.ts'
import type { ConnectionOptions } from '../provider.ts'
import { createDatabase } from '../server/create-database.ts'
import { databaseName } from '../server/database-names.ts'
import { PoolBudget } from '../server/pool-budget.ts'
import type { StoreConnection } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { adminRole } from './init-cluster.ts'
import type { Secrets } from './secrets.ts'
import { sleep } from './server-process.ts'

/** Where a server listens. */
export interface Endpoint {
  readonly socketsDir: string | undefined
  readonly port: number
}

interface RestartableEndpoint extends Endpoint {
  restartWith?(changes: { readonly connectionsMax: number }): Promise<void>
}

/** For superusers (PostgreSQL reserves 3) and for our own administration. */
const reservedConnections = 10
const remedy = 'Give services smaller pools or fewer replicas, or raise connectionsMax of the embedded PostgreSQL'
const defaultPoolMax = 8
/** As long as the server itself may take to start: one that was taken over may be busy with what clients left behind. */
const adminConnectTimeoutMs = 60_000
const askAgainMs = 100

/** Makes databases and roles on an embedded server, and says how to reach them. */
export class ServerAccess {
  readonly #server: RestartableEndpoint
  readonly #secrets: Secrets
  readonly #clock: Clock
  readonly #connectionsMax: number
  readonly #budget: PoolBudget
  readonly #made = new Map<string, Promise<void>>()

  constructor(server: RestartableEndpoint, secrets: Secrets, clock: Clock, connectionsMax: number) {
    this.#server = server
    this.#secrets = secrets
    this.#clock = clock
    this.#connectionsMax = connectionsMax
    this.#budget = new PoolBudget(connectionsMax, reservedConnections, remedy)
  }

  get address(): string {
    return this.#server.socketsDir ?? `127.0.0.1:${this.#server.port}`
  }

  get adminUrl(): string {
    return this.#url(adminRole, this.#secrets.admin, 'postgres')
  }

  /** Shuts services out of what is not theirs, and gives an adopted server the settings of this start. */
  async secure(): Promise<void> {
    const accepted = await this.#patiently(() =>
      this.#asAdmin(async (admin) => {
        await admin.command('revoke connect, temporary on database postgres, template1 from public')
        const { rows } = await admin.command('show max_connections')
        return Number(rows[0]?.['max_connections'])
      }),
    )
    if (accepted < this.#connectionsMax) await this.#server.restartWith?.({ connectionsMax: this.#connectionsMax })
  }

  async connectionFor(service: string, options: ConnectionOptions = {}): Promise<StoreConnection> {
    const name = databaseName(service)
    const poolMax = options.poolMax ?? defaultPoolMax
    this.#budget.reserve(service, poolMax, options.processes ?? (() => 1))
    const password = this.#secrets.passwordOf(name)
    await this.#make(name, password)
    return { url: this.#url(name, password, name), poolMax }
  }

  #make(name: string, password: string): Promise<void> {
    let made = this.#made.get(name)
    if (made === undefined) {
      made = this.#asAdmin((admin) => createDatabase(admin, name, password, this.#clock))
      this.#made.set(name, made)
      made.catch(() => this.#made.delete(name))
    }
    return made
  }

  /** A server that was taken over may be about to die of what ended its owner: then it is started again meanwhile. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (const giveUpAt = this.#clock.monotonic() + adminConnectTimeoutMs; ; ) {
      try {
        return await ask()
      } catch (error) {
        const isAway = error instanceof StoreError && error.code === 'unavailable'
        if (!isAway || this.#clock.monotonic() >= giveUpAt) throw error
        await sleep(this.#clock, askAgainMs)
      }
    }
  }

  async #asAdmin<T>(use: (admin: PgConnection) => Promise<T>): Promise<T> {
    const admin = await PgConnection.open({
      ...defaultLimits,
      connectTimeoutMs: adminConnectTimeoutMs,
      url: this.adminUrl,
      applicationName: 'trestle admin',
      clock: this.#clock,
    })
    try {
      return await use(admin)
    } finally {
      await admin.end()
    }
  }

  #url(role: string, password: string, database: string): string {
    const { socketsDir, port } = this.#server
    const login = `${role}:${encodeURIComponent(password)}`
    return socketsDir === undefined
      ? `postgresql://${login}@127.0.0.1:${port}/${database}`
      : `postgresql://${login}@localhost:${port}/${database}?host=${encodeURIComponent(socketsDir)}`
  }
}

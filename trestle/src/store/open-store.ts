import { type Clock, systemClock } from '../std/clock.ts'
import { type ConnectionLimits, Connections, defaultLimits } from './connection/connections.ts'
import { kyselyOver } from './connection/dialect.ts'
import { PgConnection } from './connection/pg-connection.ts'
import { readMigrations } from './migration/read-migrations.ts'
import { runMigrations } from './migration/run-migrations.ts'
import { Outbox, renewEpoch } from './outbox/outbox.ts'
import { OutboxFeed } from './outbox/outbox-feed.ts'
import { ReaderPlaces } from './outbox/reader-places.ts'
import { makePartitionsAhead } from './outbox/retention.ts'
import { defaultOutboxLimits, Upkeep } from './outbox/upkeep.ts'
import { type StoreLog, silentLog } from './provider.ts'
import type { OpenStore, StoreConnection, StoreSpec } from './store.ts'
import { runTransaction } from './transaction.ts'
import { setHome } from './tx-scope.ts'

/** What an open store takes from outside: time, chance, log and limits. */
export interface OpenStoreDeps {
  readonly clock?: Clock
  readonly log?: StoreLog
  /** 0 <= random() < 1 */
  readonly random?: () => number
  /** What `pg_stat_activity` shows; default `trestle`. */
  readonly applicationName?: string
  readonly limits?: Partial<ConnectionLimits>
  /** Ids of the contracts whose events may be published here; default: of any. */
  readonly publishes?: ReadonlySet<string>
  /** How long `close` lets transactions finish; default 5,000. */
  readonly drainMs?: number
}

/**
 * Opens a service's store. Nothing is connected before it is needed, and connections come back by themselves after the
 * server was away.
 * @throws StoreError `store_config_invalid` when the pool has fewer than two connections
 * @example
 * const store = openStore(spec, await provider.connectionFor('orders'))
 * await store.migrate()
 */
export function openStore<Tables>(
  spec: StoreSpec<Tables>,
  connection: StoreConnection,
  deps: OpenStoreDeps = {},
): OpenStore<Tables> {
  const {
    clock = systemClock,
    log = silentLog,
    random = Math.random,
    applicationName = 'trestle',
    drainMs = 5_000,
  } = deps
  const limits = { ...defaultLimits, ...deps.limits }
  const connections = new Connections(connection, applicationName, limits, clock, random)
  const outbox = new Outbox(() => clock.now(), deps.publishes)
  const transactions = { pool: connections.exclusive, clock, random, outbox }
  const ask = (sql: string, parameters: readonly unknown[]) => connections.statement(sql, parameters)
  const places = new ReaderPlaces()
  const upkeep = new Upkeep({
    ask,
    write: (sql, parameters) => connections.write(sql, parameters),
    inTransaction: (work) =>
      runTransaction(
        transactions,
        async (_tx, send) => {
          await send("set local lock_timeout = '2s'", [])
          return await work(send)
        },
        { timeoutMs: outboxMoveMs },
      ),
    outbox,
    places,
    limits: { ...defaultOutboxLimits, ...spec.outbox },
    clock,
    log,
  })
  const feed = new OutboxFeed({ ask, outbox, clock, places, held: upkeep.held })
  const store: OpenStore<Tables> = {
    db: kyselyOver<Tables>(connections),
    watchedDb: (around, beforeCommit) => {
      const write =
        beforeCommit === undefined
          ? undefined
          : (sql: string, parameters: readonly unknown[]) =>
              runTransaction(transactions, (_tx, send) => send(sql, parameters), { beforeCommit })
      return kyselyOver<Tables>({
        statement: (sql, parameters) => connections.statement(sql, parameters, around, write),
      })
    },
    transaction: (work, options) => runTransaction(transactions, work, options),
    statement: (kind, sql, parameters) =>
      kind === 'read' ? connections.statement(sql, parameters) : connections.write(sql, parameters),
    feed,
    outboxState: () => ({ bytes: upkeep.bytes, heldMs: upkeep.held.heldMs }),
    async migrate() {
      const migrations = await readMigrations(spec.migrations)
      const own = await PgConnection.open({
        ...limits,
        url: connection.url,
        applicationName,
        clock,
        silenceTimeoutMs: migrationSilenceMs,
      })
      try {
        await runMigrations(
          own,
          await readMigrations(platformMigrations),
          { log, clock, random },
          'platform_migrations',
        )
        await own.command(renewEpoch)
        await makePartitionsAhead((sql, parameters) => own.command(sql, parameters))
        const result = await runMigrations(own, migrations, { log, clock, random })
        upkeep.start()
        return result
      } finally {
        await own.end()
      }
    },
    async ping() {
      await connections.statement('select 1', [])
    },
    async close() {
      feed.close()
      await upkeep.stop()
      await connections.close(drainMs)
    },
  }
  setHome(store, connections.exclusive)
  return store
}

/** The platform's own tables: events, once-only work, sagas, jobs. */
const platformMigrations = new URL('./platform/migrations/', import.meta.url)

/** A migration may rewrite a large table, and says nothing meanwhile. */
const migrationSilenceMs = 3_600_000

/** Events that came while there was no partition for them may be many. */
const outboxMoveMs = 600_000

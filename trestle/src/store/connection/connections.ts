import type { Clock } from '../../std/clock.ts'
import { insideTransaction } from '../../std/transaction-scope.ts'
import type { AroundWrite, PlatformStatement, StoreConnection } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { ConnectGate } from './connect-gate.ts'
import { ExclusivePool } from './exclusive-pool.ts'
import { codeOf, preparedFormIsStale } from './pg-failure.ts'
import { PgConnection, type PgResult, statementFailure } from './pg-connection.ts'
import { SharedConnections } from './shared-connections.ts'
import { StatementKinds } from './statement-kinds.ts'

export interface ConnectionLimits {
  /** Default 3,000. */
  readonly connectTimeoutMs: number
  /** Waiting for a connection; default 3,000. Beyond: `overloaded`. */
  readonly waitTimeoutMs: number
  /** Callers that may wait; default 1,024. */
  readonly waitingMax: number
  /** Default 60,000. */
  readonly idleTimeoutMs: number
  /** Default 30,000: the server cancels a statement outside a transaction that takes longer. */
  readonly statementTimeoutMs: number
  /** Default 45,000: a server that says nothing for so long counts as gone. */
  readonly silenceTimeoutMs: number
  /** Reads on their way on one shared connection; default 512. */
  readonly sharedInFlightMax: number
  /** A shared connection that has not answered for so long is left to its slow read; default 20. */
  readonly sharedStalledAfterMs: number
  /** Prepared statements on one connection; default 256. */
  readonly statementNamesMax: number
}

export const defaultLimits: ConnectionLimits = {
  connectTimeoutMs: 3_000,
  waitTimeoutMs: 3_000,
  waitingMax: 1_024,
  idleTimeoutMs: 60_000,
  statementTimeoutMs: 30_000,
  silenceTimeoutMs: 45_000,
  sharedInFlightMax: 512,
  sharedStalledAfterMs: 20,
  statementNamesMax: 256,
}

/** All connections of one store: a few shared ones for reads, the rest lent to transactions and single writes. */
export class Connections {
  readonly exclusive: ExclusivePool
  readonly #shared: SharedConnections
  readonly #kinds = new StatementKinds(4_096)

  constructor(
    connection: StoreConnection,
    applicationName: string,
    limits: ConnectionLimits,
    clock: Clock,
    random: () => number,
  ) {
    const { url, poolMax } = connection
    if (!Number.isInteger(poolMax) || poolMax < 2) {
      throw new StoreError('store_config_invalid', `A pool needs at least 2 connections, not ${poolMax}`)
    }
    const sharedMax = Math.max(1, Math.floor(poolMax / 4))
    const gate = new ConnectGate(clock, random)
    const open = (settings: Record<string, string>) => () =>
      gate.pass(() => PgConnection.open({ ...limits, url, applicationName, clock, settings }))
    this.#shared = new SharedConnections({
      open: open({ default_transaction_read_only: 'on', statement_timeout: String(limits.statementTimeoutMs) }),
      connectionsMax: sharedMax,
      inFlightMax: limits.sharedInFlightMax,
      stalledAfterMs: limits.sharedStalledAfterMs,
    })
    this.exclusive = new ExclusivePool({
      ...limits,
      open: open({ statement_timeout: String(limits.statementTimeoutMs) }),
      connectionsMax: poolMax - sharedMax,
      clock,
    })
  }

  /** A statement that stands on its own. */
  async statement(
    sql: string,
    parameters: readonly unknown[],
    around: AroundWrite = (write) => write(),
    ownWrite: PlatformStatement = (text, values) => this.write(text, values),
  ): Promise<PgResult> {
    const kind = this.#kinds.of(sql)
    if (kind === 'session') {
      throw new StoreError(
        'store_config_invalid',
        'This statement changes its session, and store.db shares sessions: use store.transaction',
      )
    }
    if (kind === 'own' && insideTransaction()) {
      throw new StoreError('nested_transaction', 'store.db does not write inside store.transaction: use tx.db')
    }
    const write = () => around(() => ownWrite(sql, parameters))
    return await (kind === 'read' ? this.#read(sql, parameters, write) : write())
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all([this.exclusive.close(drainMs), this.#shared.close()])
  }

  async #read(sql: string, parameters: readonly unknown[], write: () => Promise<PgResult>): Promise<PgResult> {
    try {
      return await this.#readOnce(sql, parameters).catch((error: unknown) => {
        if (preparedFormIsStale(error)) return this.#readOnce(sql, parameters)
        throw error
      })
    } catch (error) {
      if (codeOf(error) !== '25006') throw statementFailure(error, 'read')
      this.#kinds.isWrite(sql)
      return await write()
    }
  }

  /** On a shared connection, or on one of its own while slow reads hold all shared ones up. */
  async #readOnce(sql: string, parameters: readonly unknown[]): Promise<PgResult> {
    const shared = await this.#shared.pick()
    if (shared !== undefined) return await shared.execute(sql, parameters)
    const own = await this.exclusive.acquire()
    try {
      return await own.execute(sql, parameters)
    } finally {
      this.exclusive.release(own)
    }
  }

  /** On a connection of its own, committed by itself. */
  async write(sql: string, parameters: readonly unknown[]): Promise<PgResult> {
    const connection = await this.exclusive.acquire()
    try {
      return await connection.execute(sql, parameters).catch((error: unknown) => {
        // Refused while it was being prepared, so it has not run: once more under a new name.
        if (preparedFormIsStale(error)) return connection.execute(sql, parameters)
        throw error
      })
    } catch (error) {
      throw statementFailure(error, 'write')
    } finally {
      this.exclusive.release(connection)
    }
  }
}

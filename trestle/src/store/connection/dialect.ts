import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import { StoreError } from '../store-error.ts'
import type { PgResult } from './pg-connection.ts'

/** What runs the statements of one Kysely instance. */
export interface StatementRunner {
  statement(sql: string, parameters: readonly unknown[]): Promise<PgResult>
  /** Rows in batches. */
  stream?(sql: string, parameters: readonly unknown[], batchRows: number): AsyncIterableIterator<PgResult>
}

const adapter = new PostgresAdapter()
const compiler = new PostgresQueryCompiler()

const refuseTransaction = (): never => {
  throw new StoreError('nested_transaction', 'Transactions are opened by store.transaction, one at a time')
}

function driverOver(connection: DatabaseConnection): Driver {
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: refuseTransaction,
    commitTransaction: refuseTransaction,
    rollbackTransaction: refuseTransaction,
    releaseConnection: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
  }
}

const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function toQueryResult<Row>({ command, rowCount, rows }: PgResult): QueryResult<Row> {
  const result = { rows: (rows ?? []) as Row[] }
  return changing.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result
}

function connectionOver(runner: StatementRunner): DatabaseConnection {
  return {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      return toQueryResult<Row>(await runner.statement(sql, parameters))
    },
    async *streamQuery<Row>({ sql, parameters }: CompiledQuery, chunkSize: number) {
      if (runner.stream === undefined) {
        throw new StoreError('store_config_invalid', 'Rows can be streamed inside store.transaction only')
      }
      for await (const batch of runner.stream(sql, parameters, chunkSize)) yield toQueryResult<Row>(batch)
    },
  }
}

/**
 * Kysely whose statements go to `runner`. Cheap enough to make one per transaction: compiler and adapter are shared,
 * and there is no lock around the connection, so statements that are not awaited one by one are pipelined.
 */
export function kyselyOver<Tables>(runner: StatementRunner): Kysely<Tables> {
  const connection = connectionOver(runner)
  const driver = driverOver(connection)
  const executor = new DefaultQueryExecutor(compiler, adapter, { provideConnection: (use) => use(connection) })
  const dialect: Dialect = {
    createAdapter: () => adapter,
    createDriver: () => driver,
    createQueryCompiler: () => compiler,
    createIntrospector: (db) => new PostgresIntrospector(db),
  }
  return new Kysely<Tables>({ config: { dialect }, dialect, driver, executor })
}

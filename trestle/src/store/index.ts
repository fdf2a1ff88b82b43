/** A service's own PostgreSQL database: `trestle/store`. Where the databases are is not a service's business, nor loaded here. */
export { sql } from 'kysely'
export type { ColumnType, Generated, GeneratedAlways, Insertable, Kysely, Selectable, Updateable } from 'kysely'
export { isUniqueViolation } from './connection/pg-failure.ts'
export { type OpenStoreDeps, openStore } from './open-store.ts'
export { postgres, type PostgresOptions } from './postgres.ts'
export type { ConnectionOptions, StoreLog, StoreProvider } from './provider.ts'
export {
  type OpenStore,
  type Store,
  type StoreConnection,
  StoreError,
  type StoreErrorCode,
  storeErrors,
  type StoreSpec,
  type TransactionOptions,
  type Tx,
} from './store.ts'

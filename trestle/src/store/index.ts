/** A service's own PostgreSQL database: `trestle/store`. */
export { sql } from 'kysely'
export type { ColumnType, Generated, GeneratedAlways, Insertable, Kysely, Selectable, Updateable } from 'kysely'
export { isUniqueViolation } from './connection/pg-failure.ts'
export { type ChooseProviderOptions, chooseProvider, type ChosenProvider } from './choose-provider.ts'
export { type DumpTotals, dumpStore } from './dump/dump-store.ts'
export { loadStore, resetStore } from './dump/load-store.ts'
export { connectEmbedded } from './embedded/connect-embedded.ts'
export { type EmbeddedOptions, type EmbeddedProvider, embeddedPostgres } from './embedded/embedded-postgres.ts'
export { type OpenStoreDeps, openStore } from './open-store.ts'
export { postgres, type PostgresOptions } from './postgres.ts'
export type { ConnectionOptions, StoreLog, StoreProvider } from './provider.ts'
export { type ServerOptions, serverPostgres } from './server/server-postgres.ts'
export { type ServiceUrls, serviceUrls, serviceUrlVariable } from './server/service-urls.ts'
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

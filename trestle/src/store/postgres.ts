import type { StoreSpec } from './store.ts'

/** Where a service's migrations are. */
export interface PostgresOptions {
  /** Directory with ordered SQL files `0001-name.sql`: `new URL('./migrations/', import.meta.url)`. */
  readonly migrations: URL
}

/**
 * A service's own PostgreSQL database. It says what the tables are and how they came to be; where the database is, the
 * system decides.
 * @example
 * store: postgres<OrdersTables>({ migrations: new URL('./migrations/', import.meta.url) })
 */
export function postgres<Tables>({ migrations }: PostgresOptions): StoreSpec<Tables> {
  return { kind: 'postgres', migrations }
}

import type { StoreSpec } from './store.ts'

/** Where a service's migrations are. */
export interface PostgresOptions {
  /** Directory with ordered SQL files `0001-name.sql`: `new URL('./migrations/', import.meta.url)`. */
  readonly migrations: URL
  /** Days that published events are kept at least, and longer while a reader has not read them; default 7. */
  readonly outboxRetentionDays?: number
  /** Bytes of published events on disk beyond which publishing answers `overloaded`; default 10 GiB. */
  readonly outboxMaxBytes?: number
}

/**
 * A service's own PostgreSQL database. It says what the tables are and how they came to be; where the database is, the
 * system decides.
 * @example
 * store: postgres<OrdersTables>({ migrations: new URL('./migrations/', import.meta.url) })
 */
export function postgres<Tables>({
  migrations,
  outboxRetentionDays: retentionDays,
  outboxMaxBytes: maxBytes,
}: PostgresOptions): StoreSpec<Tables> {
  const outbox = {
    ...(retentionDays === undefined ? {} : { retentionDays }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  }
  return { kind: 'postgres', migrations, outbox }
}

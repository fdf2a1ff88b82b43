import type { Kysely } from 'kysely'
import type { ContractEvent, EventOf } from '../contract/contract.ts'

export { StoreError, type StoreErrorCode, storeErrors } from './store-error.ts'

/** How to reach one service's database. */
export interface StoreConnection {
  /** `postgresql://role:password@host:port/database`, or with `host=` naming a unix socket directory. */
  readonly url: string
  /** Connections that this process may hold; default 8, at least 2. */
  readonly poolMax: number
}

/** What a service says about its store: `postgres<Tables>({ migrations })`. Plain data; nothing is opened. */
export interface StoreSpec<Tables> {
  readonly kind: 'postgres'
  /** Directory with ordered files `0001-name.sql`. */
  readonly migrations: URL
  /** Type-level only. */
  readonly tables?: Tables
}

/** The only way to write: rows (and later events, saga state) commit together or not at all. */
export interface Tx<Tables> {
  readonly db: Kysely<Tables>
  /**
   * Buffered; leaves with the commit.
   * @throws StoreError `publish_unsupported`: this version has no outbox yet, and an event must not be lost in silence.
   */
  publish<E extends ContractEvent>(event: E, payload: EventOf<E>): void
}

/** A service's own database. */
export interface Store<Tables> {
  /**
   * Autocommit. Reads share pipelined connections, which the database holds read-only; any other single statement gets
   * a connection of its own. A session's state (`set`, `begin`, advisory locks) cannot be used here.
   */
  readonly db: Kysely<Tables>
  /**
   * Runs `work` in one transaction and commits. Rolled back when `work` rejects, and its error is passed on.
   * @throws StoreError `overloaded` when no connection is free in time, the time limit passes, or the transaction loses
   * against others (40001, 40P01) more often than `retries`; `unavailable` when the server cannot be reached: in both
   * nothing was written. `outcome_unknown` when the commit's answer was lost. `nested_transaction` inside another.
   */
  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** How strictly a transaction is kept apart from others, how long it may take, and how often it is tried. */
export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** Default 30,000. */
  readonly timeoutMs?: number
  /**
   * How often `work` is run again after it lost against other transactions (serialization failure, deadlock), with
   * jittered backoff; default 0. Only for work that may run twice: it must change nothing but rows.
   */
  readonly retries?: number
}

/** Something done around a write: it runs `write` once and gives back its outcome. */
export type AroundWrite = <T>(write: () => Promise<T>) => Promise<T>

/** A store that can tell which autocommit statements write; only it knows, because the database refuses them as reads. */
export interface WatchableStore<Tables> extends Store<Tables> {
  /** A `db` whose statements other than reads run inside `around`. Cheap enough for one per request. */
  watchedDb(around: AroundWrite): Kysely<Tables>
}

/** A store that has been opened: what the host holds. */
export interface OpenStore<Tables> extends WatchableStore<Tables> {
  /** Applies the migrations that have not run yet. Safe with several replicas at once. */
  migrate(): Promise<{ readonly applied: readonly string[] }>
  /** Answers when the server can be asked. */
  ping(): Promise<void>
  /** Waits for what is running, up to 5 s, then closes every connection. */
  close(): Promise<void>
}

import type { Kysely } from 'kysely'
import type { ContractEvent, EventOf } from '../contract/contract.ts'

/** How to reach one service's database. */
export interface StoreConnection {
  /** `postgresql://role:password@host:port/database`, or with `host=` naming a unix socket directory. */
  readonly url: string
  /** Connections that this process may hold; default 8. */
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
  /** Buffered; leaves with the commit. */
  publish<E extends ContractEvent>(event: E, payload: EventOf<E>): void
}

/** A service's own database. */
export interface Store<Tables> {
  /** Autocommit reads and single statements, pipelined on shared connections. */
  readonly db: Kysely<Tables>
  /**
   * Runs `work` in one transaction and commits. Rolled back when `work` rejects.
   * @throws StoreError `overloaded` when no connection is free in time, `unavailable` when the server cannot be reached,
   * `outcome_unknown` when the commit's answer was lost
   */
  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options?: TransactionOptions): Promise<T>
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** Default 30,000. */
  readonly timeoutMs?: number
}

/** A store that has been opened: what the host holds. */
export interface OpenStore<Tables> extends Store<Tables> {
  /** Applies the migrations that have not run yet. Safe with several replicas at once. */
  migrate(): Promise<{ readonly applied: readonly string[] }>
  /** Answers when the server can be asked. */
  ping(): Promise<void>
  close(): Promise<void>
}

export class StoreError extends Error {
  readonly code: 'overloaded' | 'unavailable' | 'outcome_unknown' | 'migration_changed' | 'migration_failed'
  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}

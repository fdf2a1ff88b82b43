import type { Kysely } from 'kysely'
import type { ContractEvent, EventInputOf } from '../contract/contract.ts'
import type { TraceContext } from '../std/trace-context.ts'
import type { PgResult } from './connection/pg-connection.ts'
import type { EventFeed } from './outbox/event-feed.ts'
import type { OutboxLimits } from './outbox/upkeep.ts'

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
  /** How much of what is published is kept; what is left out has its default. */
  readonly outbox?: Partial<OutboxLimits>
  /** Type-level only. */
  readonly tables?: Tables
}

/** The only way to write: rows, events and the state of sagas commit together or not at all. */
export interface Tx<Tables> {
  readonly db: Kysely<Tables>
  /**
   * Publishes an event if the transaction commits. It is checked and written as JSON here, and leaves with the commit.
   * @throws StoreError `event_invalid` with `details.faults`; `overloaded` when the outbox is full
   * @example tx.publish(orders.events.placed, order)
   */
  publish<E extends ContractEvent>(event: E, payload: EventInputOf<E>): void
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

/** What the host says besides. */
export interface TracedOptions extends TransactionOptions {
  /** The work that this transaction is part of: its events carry it on. Default: a new trace. */
  readonly trace?: TraceContext
  readonly beforeCommit?: BeforeCommit
}

/** One statement of the platform's own, with `$1` for its parameters; prepared under a name. */
export type PlatformStatement = (sql: string, parameters: readonly unknown[]) => Promise<PgResult>

/**
 * The platform's last statements in a transaction of a service, given what its work gave. They are sent together with
 * COMMIT, so they must not be waited for; when one of them fails, or `send` throws, the transaction is rolled back.
 */
export type BeforeCommit = (value: unknown, send: PlatformStatement) => void

/** Something done around a write: it runs `write` once and gives back its outcome. */
export type AroundWrite = <T>(write: () => Promise<T>) => Promise<T>

/** What the platform needs of a store besides what services see. */
export interface WatchableStore<Tables> extends Store<Tables> {
  /**
   * A `db` whose statements other than reads run inside `around`; only the store knows which those are, because the
   * database refuses them as reads. With `beforeCommit` each of them is a transaction that ends so. Cheap enough for one
   * per request.
   */
  watchedDb(around: AroundWrite, beforeCommit?: BeforeCommit): Kysely<Tables>
  /** One statement of the platform's own that stands alone: a read is pipelined with those of others. */
  statement(kind: 'read' | 'write', sql: string, parameters: readonly unknown[]): Promise<PgResult>
  transaction<T>(work: (tx: Tx<Tables>) => Promise<T>, options?: TracedOptions): Promise<T>
}

/** A store that has been opened: what the host holds. */
export interface OpenStore<Tables> extends WatchableStore<Tables> {
  /** Applies the migrations that have not run yet. Safe with several replicas at once. */
  migrate(): Promise<{ readonly applied: readonly string[] }>
  /** What its transactions have published. */
  readonly feed: EventFeed
  /** How large what it has published is on disk, and for how long an open transaction has been holding it back. */
  outboxState(): { readonly bytes: number; readonly heldMs: number }
  /** Answers when the server can be asked. */
  ping(): Promise<void>
  /** Waits for what is running, up to 5 s, then closes every connection. */
  close(): Promise<void>
}

import { newTrace, formatTraceparent, type TraceContext } from '../../std/trace-context.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import { PublishBuffer } from './publish-buffer.ts'
import { publishStatement, type Statement } from './publish-statement.ts'

/**
 * Begins a new epoch when the database is not where it was: transaction ids, by which the feed is ordered, say nothing
 * there of those before.
 */
export const renewEpoch = `update trestle.feed
  set epoch = greatest(epoch + 1, extract(epoch from clock_timestamp())::bigint), identity = trestle.cluster_identity()
  where identity is distinct from trestle.cluster_identity()`

/** What the transactions of one database publish: the way in. */
export class Outbox {
  readonly #now: () => number
  readonly #publishes: ReadonlySet<string> | undefined
  /** Those that have asked which epoch it is: a connection does not outlive its server. */
  readonly #current = new WeakSet<PgConnection>()
  readonly #listeners = new Set<() => void>()
  #told = false
  /** The bound in bytes that has been passed: nothing more is taken. */
  full: number | undefined

  /** @param publishes ids of the contracts whose events may be published; default: of any */
  constructor(now: () => number, publishes?: ReadonlySet<string>) {
    this.#now = now
    this.#publishes = publishes
  }

  newBuffer(): PublishBuffer {
    return new PublishBuffer(this.#now, this.full, this.#publishes)
  }

  /** What has to be asked on `connection` right before the commit; all of it can be sent at once. */
  statementsFor(
    connection: PgConnection,
    { events }: PublishBuffer,
    trace: TraceContext | undefined,
  ): readonly Statement[] {
    if (events.length === 0) return []
    const publish = publishStatement(events, formatTraceparent(trace ?? newTrace()))
    return this.#current.has(connection) ? [publish] : [{ sql: renewEpoch, parameters: [] }, publish]
  }

  /** The transaction has been committed. */
  committed(connection: PgConnection): void {
    this.#current.add(connection)
    if (this.#told || this.#listeners.size === 0) return
    this.#told = true
    setImmediate(() => {
      this.#told = false
      for (const listener of this.#listeners) listener()
    })
  }

  /** Called, coalesced, after commits that published something. Returns its end. */
  onPublished(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

import { StoreError } from '../store-error.ts'
import type { PgConnection } from './pg-connection.ts'

export interface SharedConnectionsOptions {
  readonly open: () => Promise<PgConnection>
  readonly connectionsMax: number
  /** Reads on their way on one connection. */
  readonly inFlightMax: number
  /** A connection that has not answered for so long is busy with something slow: nothing more is sent there. */
  readonly stalledAfterMs: number
}

/** Read-only connections that many reads use at once. Another one is opened while all are busy. */
export class SharedConnections {
  readonly #options: SharedConnectionsOptions
  readonly #open: PgConnection[] = []
  #opening: Promise<PgConnection> | undefined
  #closed = false

  constructor(options: SharedConnectionsOptions) {
    this.#options = options
  }

  /**
   * The connection with the least to do, `undefined` when all are stalled. Use it at once: it is not reserved.
   * @throws StoreError `overloaded`, `unavailable`
   */
  async pick(): Promise<PgConnection | undefined> {
    if (this.#closed) throw new StoreError('unavailable', 'The store was closed')
    const { connectionsMax, inFlightMax } = this.#options
    const least = this.#leastBusy()
    if (least === undefined) return this.#open.length < connectionsMax ? await this.#openOne() : undefined
    // One more for those who come later: what they would be told, they are told when they need it.
    if (least.inFlight > 0 && this.#open.length < connectionsMax) this.#openOne().catch(() => undefined)
    if (least.inFlight < inFlightMax) return least
    throw new StoreError('overloaded', `${inFlightMax} reads already wait on each shared connection`)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    await Promise.all(this.#open.splice(0).map((connection) => connection.end()))
  }

  #leastBusy(): PgConnection | undefined {
    let least: PgConnection | undefined
    for (const connection of this.#open) {
      if (connection.broken || connection.silentMs > this.#options.stalledAfterMs) continue
      if (least === undefined || connection.inFlight < least.inFlight) least = connection
    }
    return least
  }

  #openOne(): Promise<PgConnection> {
    this.#opening ??= this.#options
      .open()
      .then((connection) => {
        this.#open.push(connection)
        connection.onClose(() => this.#remove(connection))
        return connection
      })
      .finally(() => {
        this.#opening = undefined
      })
    return this.#opening
  }

  #remove(connection: PgConnection): void {
    const at = this.#open.indexOf(connection)
    if (at >= 0) this.#open.splice(at, 1)
  }
}

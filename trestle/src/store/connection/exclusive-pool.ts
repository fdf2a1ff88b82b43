import type { Clock, Timer } from '../../std/clock.ts'
import { StoreError } from '../store-error.ts'
import type { PgConnection } from './pg-connection.ts'

export interface ExclusivePoolOptions {
  readonly open: () => Promise<PgConnection>
  readonly connectionsMax: number
  /** Callers that may wait for a connection. */
  readonly waitingMax: number
  /** How long one may wait. */
  readonly waitTimeoutMs: number
  /** A connection unused for so long is closed. */
  readonly idleTimeoutMs: number
  readonly clock: Clock
}

interface Waiter {
  readonly take: (connection: PgConnection) => void
  readonly fail: (error: unknown) => void
  readonly timer: Timer
}

/** Connections lent to one user at a time, in the order of asking. Bounded in number, in waiters and in waiting. */
export class ExclusivePool {
  readonly #options: ExclusivePoolOptions
  readonly #idle: { readonly connection: PgConnection; readonly since: number }[] = []
  readonly #lent = new Set<PgConnection>()
  readonly #waiting: Waiter[] = []
  #opening = 0
  #sweep: Timer | undefined
  #closed = false
  #emptied: (() => void) | undefined

  constructor(options: ExclusivePoolOptions) {
    this.#options = options
  }

  get stats(): { readonly lent: number; readonly idle: number; readonly waiting: number } {
    return { lent: this.#lent.size, idle: this.#idle.length, waiting: this.#waiting.length }
  }

  /** @throws StoreError `overloaded`, `unavailable` */
  acquire(): Promise<PgConnection> {
    if (this.#closed) return Promise.reject(new StoreError('unavailable', 'The store was closed'))
    const ready = this.#takeIdle()
    if (ready !== undefined) return Promise.resolve(this.#lend(ready))
    const { waitingMax, waitTimeoutMs, clock } = this.#options
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(
        new StoreError('overloaded', `${waitingMax} others already wait for a connection to the database`),
      )
    }
    return new Promise((take, fail) => {
      const waiter: Waiter = {
        take,
        fail,
        timer: clock.setTimeout(() => {
          this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
          fail(new StoreError('overloaded', `No connection to the database was free within ${waitTimeoutMs} ms`))
        }, waitTimeoutMs),
      }
      this.#waiting.push(waiter)
      this.#grow()
    })
  }

  release(connection: PgConnection): void {
    if (!this.#lent.delete(connection)) return
    const reusable = !connection.broken && connection.transactionState === 'idle' && connection.inFlight === 0
    if (!reusable) connection.destroy(new Error('given back in the middle of something'))
    else if (this.#closed) void connection.end()
    else this.#handOn(connection)
    if (this.#lent.size === 0) this.#emptied?.()
    this.#grow()
  }

  /** Refuses who waits, lets what is lent finish for `drainMs`, then cuts. */
  async close(drainMs: number): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#sweep?.cancel()
    for (const waiter of this.#waiting.splice(0)) {
      waiter.timer.cancel()
      waiter.fail(new StoreError('unavailable', 'The store was closed'))
    }
    const idle = this.#idle.splice(0)
    await Promise.all([...idle.map(({ connection }) => connection.end()), this.#drained(drainMs)])
    for (const connection of this.#lent) connection.destroy(new Error('the store was closed'))
  }

  #drained(drainMs: number): Promise<void> {
    if (this.#lent.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimeout(resolve, drainMs)
      this.#emptied = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #takeIdle(): PgConnection | undefined {
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      if (!entry.connection.broken) return entry.connection
    }
    return undefined
  }

  #lend(connection: PgConnection): PgConnection {
    this.#lent.add(connection)
    return connection
  }

  #handOn(connection: PgConnection): void {
    const waiter = this.#waiting.shift()
    if (waiter !== undefined) {
      waiter.timer.cancel()
      waiter.take(this.#lend(connection))
      return
    }
    this.#idle.push({ connection, since: this.#options.clock.monotonic() })
    this.#sweepLater()
  }

  /** Opens connections for those who wait, as far as the bound allows. */
  #grow(): void {
    const { connectionsMax } = this.#options
    while (this.#opening < this.#waiting.length && this.#lent.size + this.#opening < connectionsMax) {
      this.#opening += 1
      void this.#openOne()
    }
  }

  async #openOne(): Promise<void> {
    try {
      const connection = await this.#options.open()
      this.#opening -= 1
      if (this.#closed) void connection.end()
      else this.#handOn(connection)
    } catch (error) {
      this.#opening -= 1
      const waiter = this.#waiting.shift()
      waiter?.timer.cancel()
      waiter?.fail(error)
      if (!this.#closed) this.#grow()
    }
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#closed) return
    const { clock, idleTimeoutMs } = this.#options
    this.#sweep = clock.setTimeout(() => {
      this.#sweep = undefined
      const oldest = clock.monotonic() - idleTimeoutMs
      while (this.#idle[0] !== undefined && this.#idle[0].since <= oldest) void this.#idle.shift()?.connection.end()
      if (this.#idle.length > 0) this.#sweepLater()
    }, idleTimeoutMs)
  }
}

import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import { StoreError } from '../store-error.ts'

const leastMs = 20
const backoff = { baseMs: 100, maxMs: 500 }

/**
 * Lets one try at a time through to a server that could not be reached, with growing pauses. Each refused connection
 * costs the server a process: without this, those who wait for its recovery are what delays it.
 */
export class ConnectGate {
  readonly #clock: Clock
  readonly #random: () => number
  #failures = 0
  #notBefore = 0
  #trying = false
  #last: unknown

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** @throws StoreError `unavailable` at once while it is not time to try again; what `connect` throws */
  async pass<T>(connect: () => Promise<T>): Promise<T> {
    if (this.#failures > 0 && (this.#trying || this.#clock.monotonic() < this.#notBefore)) {
      throw new StoreError('unavailable', 'The database could not be reached a moment ago', { cause: this.#last })
    }
    this.#trying = true
    try {
      const connection = await connect()
      this.#failures = 0
      return connection
    } catch (error) {
      this.#failed(error)
      throw error
    } finally {
      this.#trying = false
    }
  }

  /** Several that were let through together count as one. */
  #failed(error: unknown): void {
    const now = this.#clock.monotonic()
    if (!(error instanceof StoreError) || error.code !== 'unavailable' || now < this.#notBefore) return
    this.#last = error
    this.#notBefore = now + leastMs + backoffMs(this.#failures, { ...backoff, random: this.#random })
    this.#failures += 1
  }
}

import { StoreError } from '../store-error.ts'

/** Keeps the sum of all pools under what the server accepts. */
export class PoolBudget {
  readonly #connectionsMax: number
  readonly #reserved: number
  readonly #remedy: string
  readonly #pools = new Map<string, { readonly poolMax: number; readonly processes: () => number }>()

  /** @param reserved connections that are not for services: superusers', our own */
  constructor(connectionsMax: number, reserved: number, remedy: string) {
    this.#connectionsMax = connectionsMax
    this.#reserved = reserved
    this.#remedy = remedy
  }

  /**
   * @param processes how many there are now: what was scaled down or has ended holds no connections any more
   * @throws StoreError `pools_exceed_server` naming the numbers
   */
  reserve(service: string, poolMax: number, processes: () => number): void {
    const others = [...this.#pools].filter(([name]) => name !== service)
    const wanted = others.reduce((sum, [, pool]) => sum + pool.poolMax * pool.processes(), poolMax * processes())
    const available = this.#connectionsMax - this.#reserved
    if (wanted > available) {
      throw new StoreError(
        'pools_exceed_server',
        `${service} wants ${processes()} x ${poolMax} connections; all pools together would hold ${wanted}, ` +
          `but the server accepts ${this.#connectionsMax} and ${this.#reserved} are reserved. ${this.#remedy}`,
        { details: { wanted, available } },
      )
    }
    this.#pools.set(service, { poolMax, processes })
  }
}

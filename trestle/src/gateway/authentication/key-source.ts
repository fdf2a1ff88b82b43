import type { Clock } from '../../std/clock.ts'
import type { GatewayLog } from '../gateway-context.ts'
import { IssuerUnavailable } from './issuer-http.ts'
import type { PublicKeySet } from './jwt.ts'

export interface KeySourceOptions {
  readonly load: () => Promise<PublicKeySet>
  readonly clock: Clock
  readonly log: GatewayLog
  readonly issuer: string
  readonly refreshMs: number
  readonly coolDownMs: number
  readonly keptMs: number
  /** Told when other keys hold than before. */
  readonly onChange: (keys: PublicKeySet) => void
}

const keysMax = 100

/**
 * An issuer's keys as they were fetched last. Fetched at the first use, again from time to time, and when a token names a
 * key that is not among them: never more often than the cool-down says, by one request at a time. While the issuer
 * cannot be asked the last good keys hold, for a bounded time.
 */
export class KeySource {
  readonly #options: KeySourceOptions
  #text: string | undefined
  #fetchedMs = Number.NEGATIVE_INFINITY
  #triedMs = Number.NEGATIVE_INFINITY
  #loading: Promise<boolean> | undefined

  constructor(options: KeySourceOptions) {
    this.#options = options
  }

  /** Whether there are keys that may be used; starts to renew them when it is time, and waits for nothing. */
  usable(): boolean {
    const { clock, refreshMs, keptMs } = this.#options
    const age = clock.monotonic() - this.#fetchedMs
    if (age > refreshMs && this.#coolDownLeftMs() <= 0) void this.#load()
    return age <= keptMs
  }

  /** @throws IssuerUnavailable when there are none and none can be had now */
  async ensure(): Promise<void> {
    if (this.usable()) return
    if (this.#loading === undefined && this.#coolDownLeftMs() > 0) throw this.#unavailable()
    await this.#load()
    if (!this.usable()) throw this.#unavailable()
  }

  /** A token names a key that is not there: whether other keys came. */
  async renew(): Promise<boolean> {
    if (this.#loading === undefined && this.#coolDownLeftMs() > 0) return false
    return await this.#load()
  }

  #coolDownLeftMs(): number {
    return this.#triedMs + this.#options.coolDownMs - this.#options.clock.monotonic()
  }

  #load(): Promise<boolean> {
    this.#loading ??= this.#fetch().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** Whether other keys came. A failure is told to the log: whoever waits sees that nothing changed. */
  async #fetch(): Promise<boolean> {
    const { load, clock, log, issuer, onChange } = this.#options
    this.#triedMs = clock.monotonic()
    try {
      const found = await load()
      if (!Array.isArray(found.keys) || found.keys.length === 0 || found.keys.length > keysMax) {
        throw new IssuerUnavailable(`The key set has not between 1 and ${keysMax} keys`)
      }
      const text = JSON.stringify(found.keys)
      const changed = text !== this.#text
      if (changed) onChange({ keys: found.keys })
      this.#text = text
      this.#fetchedMs = clock.monotonic()
      return changed
    } catch (error) {
      log.warn({ err: error, issuer }, "the issuer's keys could not be fetched")
      return false
    }
  }

  #unavailable(): IssuerUnavailable {
    return new IssuerUnavailable(`There are no keys of ${this.#options.issuer}`)
  }
}

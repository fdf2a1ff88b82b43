import type { Client } from '../../call/client.ts'
import type { ParsedOutputOf } from '../../contract/operation.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import { Seldom } from '../../std/seldom.ts'
import type { GatewayLog } from '../gateway-context.ts'
import type { access } from './contract.ts'

/** What the service said since the last time. */
export type Change = ParsedOutputOf<(typeof access)['operations']['changes']>

export interface ChangeFeedDeps {
  readonly clock: Clock
  readonly log: Pick<GatewayLog, 'warn' | 'info'>
}

/** How often it is asked; a revoked key must be refused everywhere within a second. */
const everyMs = 250
/** An answer that takes longer is none. */
const timeoutMs = 1_000

/** Follows what changes in keys and plans, for as long as the gateway runs. */
export class ChangeFeed {
  readonly #ask: () => Client<typeof access>
  readonly #clock: Clock
  readonly #log: ChangeFeedDeps['log']
  readonly #seldom: Seldom
  readonly #listeners: ((change: Change) => void)[] = []
  #sequence = 0
  #knownAtMs = Number.NEGATIVE_INFINITY
  #epoch = 0
  #down = false
  #timer: Timer | undefined
  #closed = false

  constructor(ask: () => Client<typeof access>, { clock, log }: ChangeFeedDeps) {
    this.#ask = ask
    this.#clock = clock
    this.#log = log
    this.#seldom = new Seldom(clock)
  }

  /** Higher after each change: what was asked before one and answered after it may be out of date. */
  get epoch(): number {
    return this.#epoch
  }

  /** For how long nothing has been heard; what changed in that time is not known. `Infinity`: nothing yet. */
  ageMs(): number {
    return this.#clock.monotonic() - this.#knownAtMs
  }

  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves after the first answer, or when there is none in time. */
  start(): Promise<void> {
    return this.#poll()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #poll(): Promise<void> {
    const askedAtMs = this.#clock.monotonic()
    const answer = await this.#ask().changes.try({ since: this.#sequence }, { timeoutMs })
    if (this.#closed) return
    if (answer.ok) this.#learn(answer.value, askedAtMs)
    else this.#missed(answer.error)
    this.#timer = this.#clock.setTimeout(() => void this.#poll(), everyMs)
  }

  #learn(change: Change, askedAtMs: number): void {
    if (this.#down) this.#log.info({}, 'keys and plans can be asked for again')
    this.#down = false
    this.#knownAtMs = askedAtMs
    if (change.sequence === this.#sequence && !change.reset) return
    this.#sequence = change.sequence
    this.#epoch += 1
    for (const listener of this.#listeners) listener(change)
  }

  #missed(error: unknown): void {
    this.#down = true
    const unsaid = this.#seldom.again('changes')
    if (unsaid !== undefined) {
      this.#log.warn({ err: error, unsaid }, 'keys and plans cannot be asked for: what changed is not known')
    }
  }
}

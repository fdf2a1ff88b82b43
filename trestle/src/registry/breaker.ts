import type { BreakerOptions } from './cluster-options.ts'
import { OutcomeWindow } from './outcome-window.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'

/** Probes that nobody ended are given up after this time. */
const probesForgottenMs = 30_000

/**
 * Stops asking when most requests fail, and finds out by a few probes whether it is worth asking again.
 * Source: M. Nygard, "Release It!", 2007.
 */
export class Breaker {
  state: BreakerState = 'closed'
  /** Changes with each change of state: what began under another one says nothing of this one. */
  epoch = 0
  readonly #options: Required<BreakerOptions>
  readonly #recent = new OutcomeWindow()
  readonly #onChange: (state: BreakerState) => void
  #untilMs = 0
  #openMs = 0
  #probing = 0
  #succeeded = 0

  constructor(options: BreakerOptions, onChange: (state: BreakerState) => void) {
    const defaults = { failureRatio: 0.5, volumeMin: 20, openMs: 1_000, openMaxMs: 30_000, probes: 3 }
    this.#options = { ...defaults, ...options }
    this.#onChange = onChange
  }

  /** 0: go on; otherwise how long to wait before asking again is of use. */
  refusesForMs(nowMs: number): number {
    if (this.state === 'closed') return 0
    if (this.state === 'open') {
      if (nowMs < this.#untilMs) return this.#untilMs - nowMs
      this.#halfOpen(nowMs)
    } else if (nowMs >= this.#untilMs) this.#halfOpen(nowMs)
    return this.#probing < this.#options.probes ? 0 : this.#options.openMs
  }

  began(): void {
    if (this.state === 'half-open') this.#probing += 1
  }

  /** @param outcome `undefined`: it says nothing */
  ended(epoch: number, outcome: 'ok' | 'failed' | undefined, nowMs: number): void {
    if (epoch !== this.epoch) return
    if (this.state === 'closed') {
      if (outcome !== undefined) this.#recent.add(nowMs, outcome === 'failed')
      if (outcome === 'failed' && this.#isTooMuch()) this.#open(nowMs)
      return
    }
    this.#probing -= 1
    if (outcome === 'failed') this.#open(nowMs)
    if (outcome !== 'ok') return
    this.#succeeded += 1
    if (this.#succeeded >= this.#options.probes) this.close()
  }

  close(): void {
    this.#openMs = 0
    this.#recent.clear()
    if (this.state !== 'closed') this.#become('closed')
  }

  #isTooMuch(): boolean {
    const { requests, failures } = this.#recent
    return requests >= this.#options.volumeMin && failures >= requests * this.#options.failureRatio
  }

  #open(nowMs: number): void {
    const { openMs, openMaxMs } = this.#options
    this.#openMs = this.#openMs === 0 ? openMs : Math.min(openMaxMs, this.#openMs * 2)
    this.#untilMs = nowMs + this.#openMs
    this.#become('open')
  }

  #halfOpen(nowMs: number): void {
    this.#probing = 0
    this.#succeeded = 0
    this.#untilMs = nowMs + probesForgottenMs
    this.#become('half-open')
  }

  #become(state: BreakerState): void {
    this.state = state
    this.epoch += 1
    this.#onChange(state)
  }
}

import type { Clock, Timer } from '../../std/clock.ts'

export interface CircuitOptions {
  readonly clock: Clock
  /** Whether the store answers again; asked while the circuit is open. */
  readonly probe: () => Promise<void>
  readonly onChange: (state: 'open' | 'closed', cause: unknown) => void
  /** Failures in a row that open it; default 5. */
  readonly failuresMax?: number
  /** Between two probes; default 1,000. */
  readonly probeEveryMs?: number
}

/**
 * Keeps requests from a store that does not answer: after some failures in a row nobody asks it until a probe, which no
 * request waits for, has got an answer. Source: M. Nygard, Release It!, "Circuit Breaker".
 */
export class Circuit {
  readonly #options: CircuitOptions
  #failures = 0
  #timer: Timer | undefined
  #ended = false

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#timer !== undefined
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(cause: unknown): void {
    this.#failures += 1
    if (this.isOpen || this.#ended || this.#failures < (this.#options.failuresMax ?? 5)) return
    this.#probeLater()
    this.#options.onChange('open', cause)
  }

  close(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #probeLater(): void {
    const { clock, probe, probeEveryMs = 1_000 } = this.#options
    this.#timer = clock.setTimeout(() => void probe().then(this.#mended, this.#stillDown), probeEveryMs)
  }

  readonly #mended = (): void => {
    if (this.#ended) return
    this.#timer = undefined
    this.#failures = 0
    this.#options.onChange('closed', undefined)
  }

  readonly #stillDown = (): void => {
    if (!this.#ended) this.#probeLater()
  }
}

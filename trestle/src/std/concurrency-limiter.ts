export interface ConcurrencyLimits {
  /** How many may be inside at once. */
  readonly insideMax: number
  /** How many may wait for a place. */
  readonly waitingMax: number
}

/**
 * Lets a bounded number in and a bounded number wait, in order of arrival. Whoever got in must `leave()` once.
 * @example if (limiter.tryEnter() || await limiter.wait(signal)) try { ... } finally { limiter.leave() }
 */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits
  readonly #waiting = new Set<() => void>()
  #inside = 0

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Nobody is let in past those who wait. */
  tryEnter(): boolean {
    if (this.#inside >= this.#limits.insideMax || this.#waiting.size > 0) return false
    this.#inside++
    return true
  }

  /** Whether the next one could neither enter nor wait. */
  get isFull(): boolean {
    return this.#inside >= this.#limits.insideMax && this.#waiting.size >= this.#limits.waitingMax
  }

  /** Waits for a place: `true` with one, `false` when the signal aborts first or the line is full. */
  wait(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#waiting.size >= this.#limits.waitingMax) return Promise.resolve(false)
    return new Promise((resolve) => {
      const enter = () => {
        signal.removeEventListener('abort', giveUp)
        resolve(true)
      }
      const giveUp = () => {
        this.#waiting.delete(enter)
        resolve(false)
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Gives the place to the one who has waited longest. */
  leave(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#inside--
      return
    }
    this.#waiting.delete(first)
    first()
  }
}

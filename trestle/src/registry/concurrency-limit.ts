import type { ConcurrencyOptions } from './cluster-options.ts'

const samplesMax = 64
/** A window with fewer answers says too little; it goes on. */
const samplesMin = 10

/**
 * Learns how many requests may run at once. Latency that grows with load is a queue: then the limit falls; while the
 * limit is reached and latency is as usual, it rises. What is usual is learnt where no queue can be: while the limit is
 * not nearly reached, or is at its minimum.
 * Source: the Gradient2 limit of Netflix's concurrency-limits, with the median of a window in place of single
 * measurements and a baseline that overload does not lift.
 */
export class ConcurrencyLimit {
  limit: number
  readonly retryAfterMs: number
  readonly #options: Required<ConcurrencyOptions>
  readonly #samples = new Float64Array(samplesMax)
  #count = 0
  #startMs = 0
  #peakInFlight = 0
  #pushedBack = false
  #usualMs = 0

  constructor(options: ConcurrencyOptions) {
    const defaults = { limitMin: 64, limitMax: 10_000, limitInitial: 1_000, windowMs: 100 }
    this.#options = { ...defaults, tolerance: 2, slackMs: 5, retryAfterMs: 1_000, ...options }
    const { limitMin, limitMax, limitInitial, retryAfterMs } = this.#options
    this.limit = Math.min(limitMax, Math.max(limitMin, limitInitial))
    this.retryAfterMs = retryAfterMs
  }

  /** Whether one more may run. */
  admits(inFlight: number): boolean {
    if (inFlight >= this.#peakInFlight) this.#peakInFlight = inFlight + 1
    return inFlight < this.limit
  }

  /** @param failed a failure counts only when it took long: one that comes at once says nothing of a queue */
  observe(latencyMs: number, failed: boolean, nowMs: number): void {
    if (!failed || latencyMs > this.#usualMs) {
      this.#samples[this.#count % samplesMax] = latencyMs
      this.#count += 1
    }
    if (nowMs - this.#startMs >= this.#options.windowMs && this.#count >= samplesMin) this.#close(nowMs)
  }

  /** A member said that it has too much to do. */
  pushedBack(): void {
    this.#pushedBack = true
  }

  #close(nowMs: number): void {
    const latencyMs = this.#median()
    const isBusy = this.#peakInFlight >= this.limit / 2
    if (this.#usualMs === 0) this.#usualMs = latencyMs
    if (isBusy) this.#adapt(latencyMs)
    this.#learn(latencyMs, isBusy)
    this.#count = 0
    this.#peakInFlight = 0
    this.#pushedBack = false
    this.#startMs = nowMs
  }

  #adapt(latencyMs: number): void {
    const { limitMin, limitMax, tolerance, slackMs } = this.#options
    const allowedMs = Math.max(tolerance * this.#usualMs, this.#usualMs + slackMs)
    const gradient = latencyMs <= allowedMs ? 1 : Math.max(0.5, allowedMs / latencyMs)
    const aim = this.#pushedBack ? this.limit * Math.min(gradient, 0.9) : this.limit * gradient + Math.sqrt(this.limit)
    // Down half the way at once, up without delay: the step up is small by itself.
    const next = aim < this.limit ? (this.limit + aim) / 2 : aim
    this.limit = Math.min(limitMax, Math.max(limitMin, next))
  }

  #learn(latencyMs: number, isBusy: boolean): void {
    const isQueueless = !isBusy || this.limit <= this.#options.limitMin
    if (latencyMs < this.#usualMs) this.#usualMs += (latencyMs - this.#usualMs) * 0.1
    else if (isQueueless) this.#usualMs += (latencyMs - this.#usualMs) * 0.02
  }

  #median(): number {
    const sorted = this.#samples.subarray(0, Math.min(this.#count, samplesMax)).toSorted()
    return sorted[sorted.length >> 1] as number
  }
}

/**
 * The latency of one member as a moving average that jumps up to every peak and comes down with time. It comes down also
 * while nothing is measured: one that was slow is tried again by and by.
 * Source: Finagle's peak EWMA balancer (https://twitter.github.io/finagle/guide/Clients.html).
 */
export class PeakEwma {
  readonly #decayMs: number
  #valueMs = 0
  #atMs = 0
  /** Whether anything has been measured. */
  isKnown = false

  constructor(decayMs: number) {
    this.#decayMs = decayMs
  }

  observe(latencyMs: number, nowMs: number): void {
    const left = this.#left(nowMs)
    this.#valueMs = latencyMs > this.#valueMs * left ? latencyMs : this.#valueMs * left + latencyMs * (1 - left)
    this.#atMs = nowMs
    this.isKnown = true
  }

  /** What is left of the average by now. */
  at(nowMs: number): number {
    return this.#valueMs * this.#left(nowMs)
  }

  #left(nowMs: number): number {
    const agoMs = nowMs - this.#atMs
    return agoMs <= 0 ? 1 : Math.exp(-agoMs / this.#decayMs)
  }
}

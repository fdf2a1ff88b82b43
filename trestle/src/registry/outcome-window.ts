const buckets = 10
const bucketMs = 1_000

/** Requests and failures of the last ten seconds, in steps of one second. */
export class OutcomeWindow {
  requests = 0
  failures = 0
  readonly #requests = new Uint32Array(buckets)
  readonly #failures = new Uint32Array(buckets)
  #at = 0

  add(nowMs: number, failed: boolean): void {
    this.turn(nowMs)
    const i = this.#at % buckets
    this.requests += 1
    this.#requests[i] = (this.#requests[i] as number) + 1
    if (!failed) return
    this.failures += 1
    this.#failures[i] = (this.#failures[i] as number) + 1
  }

  /** Forgets what is older than ten seconds. */
  turn(nowMs: number): void {
    const at = Math.floor(nowMs / bucketMs)
    if (at === this.#at) return
    const steps = Math.min(buckets, at - this.#at)
    for (let step = 1; step <= steps; step += 1) this.#empty((at - steps + step) % buckets)
    this.#at = at
  }

  clear(): void {
    for (let i = 0; i < buckets; i += 1) this.#empty(i)
  }

  #empty(i: number): void {
    this.requests -= this.#requests[i] as number
    this.failures -= this.#failures[i] as number
    this.#requests[i] = 0
    this.#failures[i] = 0
  }
}

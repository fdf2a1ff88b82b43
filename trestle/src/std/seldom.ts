import type { Clock } from './clock.ts'

/**
 * Tells what is worth saying from what was said a moment ago, so that an outage is not a line per call.
 * @example const unsaid = seldom.again(code); if (unsaid !== undefined) log.warn({ code, unsaid }, 'failed')
 */
export class Seldom {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #said = new Map<string, { atMs: number; unsaid: number }>()

  /** @param everyMs one and the same thing is said once in this time; default 10,000 */
  constructor(clock: Clock, everyMs = 10_000) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /**
   * It has happened again. `undefined`: said a moment ago; else how often it has happened unsaid since the last time.
   * @param what one of a few: each is remembered
   */
  again(what: string): number | undefined {
    const nowMs = this.#clock.monotonic()
    const last = this.#said.get(what)
    if (last !== undefined && nowMs - last.atMs < this.#everyMs) {
      last.unsaid += 1
      return undefined
    }
    this.#said.set(what, { atMs: nowMs, unsaid: 0 })
    return last?.unsaid ?? 0
  }
}

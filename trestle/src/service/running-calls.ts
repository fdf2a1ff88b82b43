import type { Clock } from '../std/clock.ts'

/** A call whose handler has not ended. */
export interface Running {
  /** Answers now, and tells the handler to stop. */
  giveUp(code: 'outcome_unknown'): void
}

/** The calls that a service has taken and not finished. */
export class RunningCalls {
  readonly #calls = new Set<Running>()
  #whenEmpty: (() => void)[] = []

  get size(): number {
    return this.#calls.size
  }

  add(call: Running): void {
    this.#calls.add(call)
  }

  delete(call: Running): void {
    this.#calls.delete(call)
    if (this.#calls.size > 0) return
    for (const tell of this.#whenEmpty) tell()
    this.#whenEmpty = []
  }

  /** Waits until all have ended. What still runs after `timeoutMs` is answered `outcome_unknown` and left behind. */
  finish(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        for (const call of this.#calls) call.giveUp('outcome_unknown')
        resolve()
      }, timeoutMs)
      this.#whenEmpty.push(() => {
        timer.cancel()
        resolve()
      })
    })
  }
}

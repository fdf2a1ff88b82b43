import type { Clock } from '../../std/clock.ts'

/** The keyed requests that this process works on: another one with the same key may wait a moment for the first. */
export class RunningKeys {
  readonly #clock: Clock
  readonly #running = new Map<string, Promise<void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `work` when nothing with this key runs here any more, or after `waitMs`, or when `signal` aborts. */
  async run<T>(scope: string, waitMs: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const endMs = this.#clock.monotonic() + waitMs
    for (;;) {
      const running = this.#running.get(scope)
      const leftMs = endMs - this.#clock.monotonic()
      if (running === undefined || leftMs <= 0 || signal.aborted) break
      await endOf(running, this.#clock, leftMs, signal)
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#running.set(scope, promise)
    try {
      return await work()
    } finally {
      if (this.#running.get(scope) === promise) this.#running.delete(scope)
      resolve()
    }
  }
}

function endOf(running: Promise<void>, clock: Clock, leftMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimeout(end, leftMs)
    signal.addEventListener('abort', end)
    void running.then(end)
  })
}

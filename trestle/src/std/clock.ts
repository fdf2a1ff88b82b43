/** Time, handed in so that tests can hold it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. It may jump: never measure a duration with it. */
  now(): number
  /** Milliseconds that only go forward. */
  monotonic(): number
  /** Runs `fn` once after `ms`; the timer does not keep the process alive. */
  setTimeout(fn: () => void, ms: number): Timer
}

export interface Timer {
  cancel(): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, ms) {
    const timer = setTimeout(fn, ms)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

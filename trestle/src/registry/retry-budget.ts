import type { Clock } from '../std/clock.ts'

export interface RetryBudgetOptions {
  readonly clock: Clock
  /** Retries allowed per request. Default 0.2. */
  readonly ratio?: number
  /** Retries allowed per second besides. Default 10. */
  readonly perSecond?: number
  /** Retries that may be saved up. Default 100. */
  readonly savedMax?: number
}

export interface RetryBudget {
  /** A request was made that is no retry. */
  request(): void
  /** Takes one retry; `false`: there is none left. */
  take(): boolean
}

/** Bounds the load that retries add to a service that already fails. */
export function retryBudget(options: RetryBudgetOptions): RetryBudget {
  const { clock, ratio = 0.2, perSecond = 10, savedMax = 100 } = options
  let saved = perSecond
  let filledMs = clock.monotonic()
  return {
    request() {
      saved = Math.min(savedMax, saved + ratio)
    },
    take() {
      const nowMs = clock.monotonic()
      // Time alone saves up one second's worth, so that a quiet hour allows no burst.
      if (saved < perSecond) saved = Math.min(perSecond, saved + ((nowMs - filledMs) / 1_000) * perSecond)
      filledMs = nowMs
      // Sums of 0.2 fall short of 1 by a rounding error.
      if (saved < 1 - 1e-9) return false
      saved -= 1
      return true
    },
  }
}

import type { Clock } from '../std/clock.ts'

export interface RestartLimits {
  /** Restarts within `periodMs` before the supervisor gives up; default 5. */
  readonly restartsMax?: number
  /** Default 60,000. */
  readonly periodMs?: number
}

/** Counts restarts in a sliding window. */
export interface RestartBudget {
  /** Takes one restart, or says that there is none left. */
  take(): boolean
  /** How many were taken within the window: the exponent of the wait. */
  used(): number
  clear(): void
}

export function restartBudget(clock: Clock, limits: RestartLimits = {}): RestartBudget {
  const { restartsMax = 5, periodMs = 60_000 } = limits
  let taken: number[] = []
  const forget = () => {
    const since = clock.monotonic() - periodMs
    taken = taken.filter((at) => at > since)
  }
  return {
    take() {
      forget()
      if (taken.length >= restartsMax) return false
      taken.push(clock.monotonic())
      return true
    },
    used() {
      forget()
      return taken.length
    },
    clear() {
      taken = []
    },
  }
}

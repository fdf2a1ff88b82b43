import type { Clock } from '../std/clock.ts'

/** A clock that a test holds in its hand. */
export interface VirtualClock extends Clock {
  /** Lets time pass: runs what is due, in order, and lets promises settle after each. */
  advance(ms: number): Promise<void>
  /** Timers that are still to come. */
  pending(): number
  /** Moves the wall clock alone, as an operator or NTP would. */
  jump(ms: number): void
}

interface Due {
  readonly at: number
  readonly order: number
  readonly fn: () => void
}

/**
 * Makes a clock that stands still until it is told otherwise.
 * @param startMs wall clock at the start, milliseconds since 1970
 */
export function virtualClock(startMs = Date.UTC(2030, 0, 1)): VirtualClock {
  let elapsed = 0
  let wall = startMs
  let order = 0
  const timers = new Set<Due>()
  const next = (until: number) =>
    [...timers].filter((due) => due.at <= until).toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
  const moveTo = (at: number) => {
    wall += at - elapsed
    elapsed = at
  }
  return {
    now: () => wall,
    monotonic: () => elapsed,
    setTimeout(fn, ms) {
      const due = { at: elapsed + Math.max(0, ms), order: order++, fn }
      timers.add(due)
      return { cancel: () => void timers.delete(due) }
    },
    async advance(ms) {
      const until = elapsed + ms
      await settle()
      for (let due = next(until); due !== undefined; due = next(until)) {
        timers.delete(due)
        moveTo(Math.max(due.at, elapsed))
        due.fn()
        await settle()
      }
      moveTo(until)
    },
    pending: () => timers.size,
    jump(ms) {
      wall += ms
    },
  }
}

/** One turn of the event loop: every promise that could settle has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

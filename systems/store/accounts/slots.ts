/** Lets only so many pieces of work run at once, and only so many wait. */
export interface Slots {
  /**
   * Runs `work` when there is a place; `undefined`, and nothing runs, when too many wait already or when `signal` says
   * that nobody waits for the result any more.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined>
}

export interface SlotsOptions {
  readonly runningMax: number
  readonly waitingMax: number
}

/** Makes slots. */
export function slots({ runningMax, waitingMax }: SlotsOptions): Slots {
  let running = 0
  const waiting: (() => void)[] = []

  const leave = () => {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }

  return {
    async run(work, signal) {
      if (running >= runningMax) {
        if (waiting.length >= waitingMax) return undefined
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else {
        running++
      }
      try {
        return signal?.aborted === true ? undefined : await work()
      } finally {
        leave()
      }
    },
  }
}

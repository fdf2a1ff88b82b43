import type { Clock } from '../std/clock.ts'

/** How long work may take. */
export interface WorkLimit {
  readonly clock: Clock
  readonly limitMs: number
  /** Ends it sooner. */
  readonly cut: AbortSignal
}

/** Work that may hang: `signal` tells it when its time is over, and then it is not waited for any longer. */
export interface Limited {
  readonly signal: AbortSignal
  /** @throws Error when its time is over, and whatever the work throws */
  run<T>(work: () => Promise<T>): Promise<T>
}

export function limited({ clock, limitMs, cut }: WorkLimit): Limited {
  const told = new AbortController()
  return {
    signal: told.signal,
    async run(work) {
      const over = Promise.withResolvers<never>()
      const end = (why: string) => {
        const error = new Error(why)
        told.abort(error)
        over.reject(error)
      }
      const stop = () => end('the engine stops')
      const timer = clock.setTimeout(() => end(`it has not ended within ${limitMs} ms`), limitMs)
      cut.addEventListener('abort', stop)
      if (cut.aborted) stop()
      try {
        return await Promise.race([work(), over.promise])
      } finally {
        timer.cancel()
        cut.removeEventListener('abort', stop)
      }
    },
  }
}

/** The signals by which a person or a platform ends a program. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface EndSignals extends Disposable {
  /** Resolves at the first signal. */
  readonly first: Promise<NodeJS.Signals>
  /** Aborts at the first signal. */
  readonly ending: AbortSignal
}

/**
 * Catches the signals that end the program: the first one resolves `first`, a second one runs `again`. A terminal sends
 * Ctrl-C once to every process of its foreground, npm passes it on as well: within `sameMs` that counts as one.
 */
export function catchEndSignals(again: () => void, sameMs = 500): EndSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const abort = new AbortController()
  let firstAt: number | undefined
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      resolve(signal)
      abort.abort()
    } else if (performance.now() - firstAt > sameMs) again()
  }
  for (const signal of ending) process.on(signal, listener)
  return {
    first: promise,
    ending: abort.signal,
    [Symbol.dispose]: () => {
      for (const signal of ending) process.off(signal, listener)
    },
  }
}

import { endsWithParentVariable } from '../system/ends-with-parent.ts'

/** The signals by which a person or a platform ends a program. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface EndSignalOptions {
  /** Signals of one name within this time are one; default 500. */
  readonly sameMs?: number
  /** What SIGHUP means, where it does not mean the end. */
  readonly onHangUp?: (() => void) | undefined
}

export interface EndSignals extends Disposable {
  /** Resolves at the first signal. */
  readonly first: Promise<NodeJS.Signals>
  /** Aborts at the first signal. */
  readonly ending: AbortSignal
}

/** How often a program that a script started looks whether the script is still there. */
const parentLookMs = 500

/**
 * Catches the signals that end the program: the first one resolves `first`, a second one runs `again`. A terminal sends
 * Ctrl-C once to every process of its foreground, npm passes it on as well: within `sameMs` that counts as one.
 *
 * SIGTERM to `npm start` ends npm and the shell between, which tells nobody: under a script of npm, and beside another
 * system, the end of the parent counts as SIGTERM. Beside another system it is for that one to say what Ctrl-C means.
 */
export function catchEndSignals(again: () => void, { sameMs = 500, onHangUp }: EndSignalOptions = {}): EndSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const abort = new AbortController()
  let firstAt: number | undefined
  const isBeside = process.env[endsWithParentVariable] !== undefined
  const listener = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' && isBeside) return
    if (firstAt === undefined) {
      firstAt = performance.now()
      resolve(signal)
      abort.abort()
    } else if (performance.now() - firstAt > sameMs) again()
  }
  const caught = onHangUp === undefined ? ending : ending.filter((signal) => signal !== 'SIGHUP')
  for (const signal of caught) process.on(signal, listener)
  if (onHangUp !== undefined) process.on('SIGHUP', onHangUp)
  const watch = endsWithParent(process.env) ? watchParent(() => listener('SIGTERM')) : undefined
  return {
    first: promise,
    ending: abort.signal,
    [Symbol.dispose]: () => {
      clearInterval(watch)
      for (const signal of caught) process.off(signal, listener)
      if (onHangUp !== undefined) process.off('SIGHUP', onHangUp)
    },
  }
}

function endsWithParent(env: NodeJS.ProcessEnv): boolean {
  return env['npm_lifecycle_event'] !== undefined || env[endsWithParentVariable] !== undefined
}

function watchParent(gone: () => void): NodeJS.Timeout {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    gone()
  }, parentLookMs)
  return watch.unref()
}

import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import type { OperationLog } from './operation-log.ts'
import type { SeededDraws } from './seeded-draws.ts'

/** What one try of an operation saw. */
export type Attempt<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly output?: unknown }
  /** The system has decided: it will not happen. */
  | { readonly kind: 'fail'; readonly code: string; readonly output?: unknown }
  /** It may have happened, or may yet. */
  | { readonly kind: 'unknown'; readonly code: string }

/** One operation of a load. */
export interface Question<T> {
  readonly operation: string
  /** The same for every try; the system must do it once. */
  readonly key: string
  readonly actor?: string
  readonly input?: unknown
  /** Tries once. What it throws is an unknown outcome. */
  readonly send: (key: string, signal: AbortSignal) => Promise<Attempt<T>>
}

/** How long, and how, an unknown outcome is asked for again. */
export interface AskOptions {
  readonly clock: Clock
  readonly log: OperationLog
  readonly draws: SeededDraws
  /** One try, milliseconds; default 10,000. */
  readonly tryTimeoutMs?: number
  /** All tries of one operation, milliseconds; default 90,000. After it the outcome stays unknown. */
  readonly giveUpAfterMs?: number
  /** Ends all asking. */
  readonly signal?: AbortSignal
}

const retries = { baseMs: 100, maxMs: 2_000 }

/**
 * Asks once, and again under the same key for as long as the outcome is unknown, within the bound; writes all of it down.
 * The last attempt is the answer.
 */
export async function askUntilKnown<T>(id: string, question: Question<T>, options: AskOptions): Promise<Attempt<T>> {
  const { clock, log, draws, giveUpAfterMs = 90_000 } = options
  const { operation, key } = question
  const about = { id, operation, key }
  const whose = question.actor === undefined ? {} : { actor: question.actor }
  log.write({ kind: 'invoke', ...about, ...whose, at: clock.now(), ...given('input', question.input) })
  const until = clock.monotonic() + giveUpAfterMs
  for (let tries = 1; ; tries += 1) {
    const attempt = await tryOnce(question, options)
    const at = clock.now()
    if (attempt.kind === 'ok') {
      log.write({ kind: 'ok', ...about, at, tries, ...given('output', attempt.output ?? attempt.value) })
      return attempt
    }
    if (attempt.kind === 'fail') {
      log.write({ kind: 'fail', ...about, at, tries, code: attempt.code, ...given('output', attempt.output) })
      return attempt
    }
    const waitMs = 20 + backoffMs(tries - 1, { ...retries, random: () => draws.fraction() })
    if (options.signal?.aborted === true || clock.monotonic() + waitMs > until) {
      log.write({ kind: 'unknown', ...about, at, tries, code: attempt.code })
      return attempt
    }
    log.write({ kind: 'retry', ...about, at, tries, code: attempt.code })
    await new Promise<void>((resolve) => clock.setTimeout(resolve, waitMs))
  }
}

async function tryOnce<T>({ key, send }: Question<T>, options: AskOptions): Promise<Attempt<T>> {
  const { clock, tryTimeoutMs = 10_000 } = options
  const timeout = new AbortController()
  const late = Promise.withResolvers<Attempt<T>>()
  const timer = clock.setTimeout(() => {
    timeout.abort(new Error('no answer in time'))
    late.resolve({ kind: 'unknown', code: 'no_answer' })
  }, tryTimeoutMs)
  const tried = send(key, timeout.signal).catch((error: unknown): Attempt<T> => {
    return { kind: 'unknown', code: error instanceof Error ? error.message : String(error) }
  })
  const attempt = await Promise.race([tried, late.promise])
  timer.cancel()
  return attempt
}

function given<N extends string>(name: N, value: unknown): Partial<Record<N, unknown>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<N, unknown>>)
}

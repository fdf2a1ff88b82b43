import { isCallError } from '../../call/call-error.ts'
import { UnreadableEvent } from './read-event.ts'

/**
 * What a failed try says of the event. `later`: something that the handler needs
 * is away; the event is not to blame, however often it happens. `hopeless`: it will never be read. `failed`: the rest.
 */
export type FailureKind = 'later' | 'hopeless' | 'failed'

const away = new Set([
  'unavailable',
  'overloaded',
  'rate_limited',
  'quota_exceeded',
  'dependency_unavailable',
  'outcome_unknown',
  'deadline_exceeded',
  'idempotency_in_progress',
])

/** A handler whose transaction ran out of time, and not because of the database: it hangs, and others wait for its place. */
const hung = (error: Error) => idleOf(error) === true

/** Whether a transaction took too long, whatever it waited for: with less to do it may end in time. */
export function ranOutOfTime(error: unknown): boolean {
  return idleOf(error) !== undefined
}

function idleOf(error: unknown): unknown {
  return (error as { readonly details?: { readonly idle?: unknown } } | null)?.details?.idle
}

/** Sorts a failure of a handler or of the transaction around it. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof UnreadableEvent) return 'hopeless'
  if (isCallError(error)) return !error.declared && away.has(error.code) ? 'later' : 'failed'
  if (error instanceof Error && error.name === 'StoreError' && 'code' in error) {
    return away.has(String(error.code)) && !hung(error) ? 'later' : 'failed'
  }
  return 'failed'
}

const reasonMaxCharacters = 500

/** A line for people: what went wrong. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.length <= reasonMaxCharacters ? text : `${text.slice(0, reasonMaxCharacters - 1)}…`
}

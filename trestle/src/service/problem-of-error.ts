import type { Effects } from '../call/call-context.ts'
import { type CallError, isCallError } from '../call/call-error.ts'
import type { Call } from '../call/call.ts'
import { type Problem, platformProblem } from '../call/problem.ts'
import type { BoundOperation } from './bound-operation.ts'
import { DeclaredFailure } from './declared-failure.ts'
import type { FailExtra } from './service.ts'
import { certainlyUntouched, storeCodeOf } from './effects.ts'

/** What the caller is told, and what the log is told beside it. */
export interface Told {
  readonly problem: Problem
  /** `error`: ours, with its cause; `warn`: another's failure that we pass on; `none`: declared, or the caller's doing. */
  readonly log: 'error' | 'warn' | 'none'
}

/** How long a caller is asked to wait before it tries a store or a dependency again, milliseconds. */
const retryAfterMs = 1_000

/**
 * Turns whatever a handler threw into what its caller may know. Nothing else of the error leaves the service.
 *
 * - `fail(code)`: that declared error.
 * - An uncaught `CallError` with a code that this operation declares too: its own declared error, same details.
 * - One that says "not available", or "not yet" (`unavailable`, `overloaded`, `rate_limited`, `outcome_unknown`,
 *   `idempotency_in_progress`): 503
 *   `dependency_unavailable`, because this handler may have done something before; only the hop next to the failure retries.
 * - One about time, the caller or the work that both are part of (`deadline_exceeded`, `cancelled`, `unauthenticated`,
 *   `forbidden`, `idempotency_cancelled`): the same code, since those are the same ones.
 * - A store that is overloaded or away: the same code if certainly nothing was done yet, else `outcome_unknown`.
 * - Everything else: `internal`, with the cause in the log only.
 */
export function problemOfError(bound: BoundOperation, call: Call, error: unknown, effects: Effects | undefined): Told {
  if (error instanceof DeclaredFailure) return declared(bound, call, error.code, error.details, error.extra)
  if (isCallError(error)) return ofDependency(bound, call, error)
  const storeCode = storeCodeOf(error)
  if (storeCode === undefined) return internal(bound, call)
  const code = certainlyUntouched(effects) ? storeCode : 'outcome_unknown'
  return { problem: platformProblem(code, { ...place(bound, call), retryAfterMs }), log: 'warn' }
}

/** The platform's problem for a failure of our own making. */
export function internal(bound: BoundOperation, call: Call): Told {
  return { problem: platformProblem('internal', place(bound, call)), log: 'error' }
}

/** Where it happened: the same in every problem of this operation. */
export function place(bound: BoundOperation, call: Call) {
  return { instance: bound.label, traceId: call.trace.traceId }
}

function declared(
  bound: BoundOperation,
  call: Call,
  code: string,
  details: unknown,
  { detail, retryAfterMs: waitMs }: FailExtra,
): Told {
  const spec = Object.hasOwn(bound.operation.errors, code) ? bound.operation.errors[code] : undefined
  const parsed = bound.compiled.parseDetails(code, details)
  if (spec === undefined || !parsed.ok) return internal(bound, call)
  const problem: Problem = {
    code,
    status: spec.status,
    title: spec.summary ?? titleOf(code),
    declared: true,
    ...place(bound, call),
    ...(detail === undefined ? {} : { detail }),
    ...(parsed.value === undefined ? {} : { details: parsed.value }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  }
  return { problem, log: 'none' }
}

function ofDependency(bound: BoundOperation, call: Call, error: CallError): Told {
  if (error.declared) return declared(bound, call, error.code, error.details, error.problem)
  switch (error.code) {
    case 'unavailable':
    case 'overloaded':
    case 'rate_limited':
    case 'outcome_unknown':
    case 'idempotency_in_progress':
      return dependencyDown(bound, call, error, `${error.operation}: ${error.code}`)
    case 'dependency_unavailable':
      return dependencyDown(bound, call, error, error.detail ?? error.operation)
    case 'deadline_exceeded':
      return { problem: platformProblem('deadline_exceeded', place(bound, call)), log: 'warn' }
    case 'unauthenticated':
    case 'forbidden':
    case 'idempotency_cancelled':
      return { problem: platformProblem(error.code, place(bound, call)), log: 'none' }
    case 'cancelled':
      if (!call.signal.aborted) return internal(bound, call)
      return { problem: platformProblem('cancelled', place(bound, call)), log: 'none' }
    case 'internal':
      // The callee has logged its cause under the same trace id.
      return { problem: platformProblem('internal', place(bound, call)), log: 'warn' }
    default:
      return internal(bound, call)
  }
}

function dependencyDown(bound: BoundOperation, call: Call, error: CallError, detail: string): Told {
  const wait = error.problem.retryAfterMs ?? retryAfterMs
  const problem = platformProblem('dependency_unavailable', { ...place(bound, call), detail, retryAfterMs: wait })
  return { problem, log: 'warn' }
}

/** `out_of_stock` -> `Out of stock` */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

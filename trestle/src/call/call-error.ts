import { type PlatformCode, platformErrors } from '../contract/platform-errors.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { CallFailure } from './client.ts'
import type { Problem } from './problem.ts'

/** Whether asking again may have a second effect: certainly not processed, perhaps processed, or would fail again. */
export type Retry = 'safe' | 'unknown' | 'no'

/** Recognises the error also when two copies of the package are loaded. */
const brand: unique symbol = Symbol.for('trestle.CallError') as never

/**
 * A call that failed. The same whether the callee runs in this process or another: identified by `code`.
 * Use `isCallError` to recognise it, or `.try` on the operation to get it as a value.
 */
export class CallError extends Error {
  /** A code that the operation declares, or one of the platform's. */
  readonly code: string
  readonly status: number
  /** `true`: the contract of the callee declares this code. */
  readonly declared: boolean
  /** The details of a declared error. */
  readonly details: unknown
  readonly detail: string | undefined
  /** What was called: `inventory.reserve`. */
  readonly operation: string
  readonly traceId: string | undefined
  readonly retry: Retry
  /** Milliseconds after which asking again may help; `undefined`: the callee did not say. */
  readonly retryAfterMs: number | undefined
  /** The failure as it crosses a boundary. */
  readonly problem: Problem

  constructor(operation: string, problem: Problem, options?: ErrorOptions) {
    super(`${operation}: ${problem.code}${problem.detail === undefined ? '' : ` (${problem.detail})`}`, options)
    this.name = 'CallError'
    this.code = problem.code
    this.status = problem.status
    this.declared = problem.declared
    this.details = problem.details
    this.detail = problem.detail
    this.operation = operation
    this.traceId = problem.traceId
    this.retry = retryOf(problem)
    this.retryAfterMs = problem.retryAfterMs
    this.problem = problem
    Object.defineProperty(this, brand, { value: true })
  }
}

/**
 * Whether `error` is a failed call; with an operation, the codes and details are typed by its contract.
 * @example if (isCallError(error, carts.operations.read) && error.code === 'cart_not_found') ...
 */
export function isCallError(error: unknown): error is CallError
export function isCallError<Op extends AnyOperation>(
  error: unknown,
  operation: Op,
): error is CallError & CallFailure<Op>
export function isCallError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && brand in error
}

/** What a problem says about asking again. A code from a newer platform is taken for the worst. */
function retryOf(problem: Pick<Problem, 'code' | 'declared'>): Retry {
  if (problem.declared) return 'no'
  return isPlatformCode(problem.code) ? platformErrors[problem.code].retry : 'unknown'
}

export function isPlatformCode(code: string): code is PlatformCode {
  return Object.hasOwn(platformErrors, code)
}

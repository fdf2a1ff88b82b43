import type { InputFault } from '../contract/input-fault.ts'
import { type PlatformCode, platformErrors } from '../contract/platform-errors.ts'

/** A failure as it leaves a process. Source: RFC 9457. Identified by `code`, never by `instanceof`. */
export interface Problem {
  /** Stable, `snake_case`. */
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail?: string
  /** For invalid input. */
  readonly errors?: readonly InputFault[]
  /** Typed details of a declared error. */
  readonly details?: unknown
  /** `true`: the contract declares this code; otherwise it is the platform's. */
  readonly declared: boolean
  /** Milliseconds to wait before asking again; becomes `Retry-After`. */
  readonly retryAfterMs?: number
  /** Where it happened, filled in once: `orders.place`. */
  readonly instance?: string
  readonly traceId?: string
  /** A reply that was kept for the idempotency key: nothing was done for this request. */
  readonly replayed?: boolean
}

export interface ProblemExtra {
  readonly detail?: string
  readonly errors?: readonly InputFault[]
  readonly retryAfterMs?: number
  readonly instance?: string
  readonly traceId?: string
}

/** A platform problem. */
export function platformProblem(code: PlatformCode, extra: ProblemExtra = {}): Problem {
  const { status, title } = platformErrors[code]
  return { code, status, title, declared: false, ...extra }
}

import type { AnyOperation } from '../contract/operation.ts'

import type { FailExtra } from './service.ts'

/** What `fail` throws: it only leaves the service as a problem. */
export class DeclaredFailure extends Error {
  readonly code: string
  readonly details: unknown
  readonly extra: FailExtra

  constructor(code: string, details: unknown, extra: FailExtra) {
    super(extra.detail === undefined ? code : `${code}: ${extra.detail}`)
    this.name = 'DeclaredFailure'
    this.code = code
    this.details = details
    this.extra = extra
  }
}

/** The `fail` of an operation's handlers; made once per operation. The types are `Fail`'s. */
export function failFor(operation: AnyOperation): (code: string, ...more: unknown[]) => never {
  return (code, ...more) => {
    const details = operation.errors[code]?.details === undefined ? undefined : more.shift()
    const extra = (more[0] ?? {}) as FailExtra
    const { retryAfterMs = 0 } = extra
    if (!(retryAfterMs >= 0 && retryAfterMs < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`fail('${code}'): retryAfterMs must be a number from 0, not ${retryAfterMs}`)
    }
    throw new DeclaredFailure(code, details, extra)
  }
}

import type { AnyOperation } from '../contract/operation.ts'

/** What `fail` throws: it only leaves the service as a problem. */
export class DeclaredFailure extends Error {
  readonly code: string
  readonly details: unknown
  readonly detail: string | undefined

  constructor(code: string, details: unknown, detail: string | undefined) {
    super(detail === undefined ? code : `${code}: ${detail}`)
    this.name = 'DeclaredFailure'
    this.code = code
    this.details = details
    this.detail = detail
  }
}

/** The `fail` of an operation's handlers; made once per operation. The types are `Fail`'s. */
export function failFor(operation: AnyOperation): (code: string, first?: unknown, second?: string) => never {
  return (code, first, second) => {
    const hasDetails = operation.errors[code]?.details !== undefined
    throw hasDetails ? new DeclaredFailure(code, first, second) : new DeclaredFailure(code, undefined, first as string)
  }
}

/** What `fail` throws in a step: a failure that is certain, the same as a declared one of a callee. */
export class SagaFailure extends Error {
  readonly code: string
  readonly detail: string | undefined

  constructor(code: string, detail: string | undefined) {
    super(detail === undefined ? code : `${code}: ${detail}`)
    this.name = 'SagaFailure'
    this.code = code
    this.detail = detail
  }
}

/** The `fail` of a step. */
export function fail(code: string, detail?: string): never {
  throw new SagaFailure(code, detail)
}

import { isCallError, isPlatformCode } from '../call/call-error.ts'
import type { Failure } from './saga.ts'
import { SagaFailure } from './saga-failure.ts'

/** What is known after one try of a step. */
export type Outcome =
  /** `json` is what the journal keeps; `undefined`: it gave nothing back. */
  | { readonly kind: 'done'; readonly value: unknown; readonly json: string | undefined }
  /** Certain, and the same again if it were asked again. `perhapsRan`: something of it may have had an effect. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly declared: boolean; readonly perhapsRan: boolean }
  | { readonly kind: 'unknown'; readonly error: string; readonly waitMs: number }

/** Largest result that a journal keeps. */
const resultMaxBytes = 65_536
const detailMaxChars = 1_000
/** Details of a declared error beyond this are not kept with the failure. */
const detailsMaxBytes = 8_192

/** What a step's value becomes: the same for later steps now as after somebody else has read it from the journal. */
export function doneWith(step: string, value: unknown): Outcome {
  const json = asJson(value)
  if (json instanceof Error)
    return unusable(step, 'result_invalid', `the result of '${step}' cannot be kept as JSON: ${json.message}`)
  if (json === undefined) return { kind: 'done', value: undefined, json: undefined }
  if (Buffer.byteLength(json) > resultMaxBytes) {
    const detail = `the result of '${step}' has more than ${resultMaxBytes} bytes: give back what later steps need`
    return unusable(step, 'result_too_large', detail)
  }
  return { kind: 'done', value: JSON.parse(json), json }
}

/** What counts rows counts in bigints: they are kept as text. */
function asJson(value: unknown): string | undefined | Error {
  try {
    return JSON.stringify(value, (_name, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
  } catch (error) {
    return error as Error
  }
}

function unusable(step: string, code: string, detail: string): Outcome {
  return { kind: 'failed', failure: { step, code, detail, details: undefined }, declared: true, perhapsRan: true }
}

/** What an error of a step means. `calls`: how many it had made: of several, the ones before the last may have worked. */
export function failedWith(step: string, error: unknown, calls: number): Outcome {
  if (error instanceof SagaFailure) {
    return { kind: 'failed', failure: failureOf(step, error), declared: true, perhapsRan: calls > 0 }
  }
  if (isCallError(error) && error.retry === 'no') {
    const failure = failureOf(step, error)
    // Undone before it arrived: whoever undid it has taken the instance over.
    const declared = error.declared || !isPlatformCode(error.code)
    return { kind: 'failed', failure, declared, perhapsRan: calls > 1 }
  }
  const waitMs = isCallError(error) ? (error.retryAfterMs ?? 0) : 0
  return { kind: 'unknown', error: describe(error), waitMs }
}

/** What is kept of a failure: bounded, and the same now as after somebody else has read it from the journal. */
export function failureOf(
  step: string,
  { code, detail, details }: { readonly code: string; readonly detail: string | undefined; readonly details?: unknown },
): Failure {
  const json = asJson(details)
  const kept = typeof json === 'string' && Buffer.byteLength(json) <= detailsMaxBytes
  return {
    step,
    code: cut(code),
    detail: detail === undefined ? undefined : cut(detail),
    details: kept ? (JSON.parse(json) as unknown) : undefined,
  }
}

/** One line about an error, for lists. */
export function describe(error: unknown): string {
  return cut(error instanceof Error ? error.message : String(error))
}

function cut(text: string): string {
  return text.length > detailMaxChars ? `${text.slice(0, detailMaxChars)}…` : text
}

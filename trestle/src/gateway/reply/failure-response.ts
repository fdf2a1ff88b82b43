import { platformProblem } from '../../call/problem.ts'
import { HttpError, type HttpResponse } from '../../http/message.ts'
import type { RequestNotes } from '../request/edge-request.ts'
import { problemResponse, Refused } from './problem-response.ts'

interface ErrorLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Turns whatever ended a request into its reply: a refusal as it is, a broken body as 4xx, the rest as `internal`. */
export function failureResponse(error: unknown, traceId: string, notes: RequestNotes, log: ErrorLog): HttpResponse {
  const refusal = refusalOf(error, traceId, log)
  notes.code = refusal.problem.code
  const response = problemResponse(refusal.problem, traceId, notes.path)
  return { ...response, headers: [...response.headers, ...refusal.headers] }
}

function refusalOf(error: unknown, traceId: string, log: ErrorLog): Refused {
  if (error instanceof Refused) return error
  if (error instanceof HttpError) {
    if (error.code === 'body_too_large')
      return new Refused(platformProblem('body_too_large', { detail: error.message }))
    if (error.code === 'body_timeout') return new Refused(platformProblem('request_timeout', { detail: error.message }))
    if (error.code === 'aborted') return new Refused(platformProblem('cancelled'))
  }
  log.error({ err: error, traceId }, 'the gateway failed')
  return new Refused(platformProblem('internal'))
}

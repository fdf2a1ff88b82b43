import type { HttpResponse } from '../../http/message.ts'
import type { RequestNotes } from '../request/edge-request.ts'
import { type ProblemMembers, problemResponse } from './problem-response.ts'
import { refusalOf } from './refusal-of.ts'

interface ErrorLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Turns whatever ended a request into its reply; what nobody meant to happen is logged. */
export function failureResponse(
  error: unknown,
  traceId: string,
  notes: RequestNotes,
  log: ErrorLog,
  members?: ProblemMembers,
): HttpResponse {
  const refusal = refusalOf(error)
  if (refusal !== error && refusal.problem.code === 'internal') log.error({ err: error, traceId }, 'the gateway failed')
  notes.code = refusal.problem.code
  const response = problemResponse(refusal.problem, traceId, notes.path, members)
  return { ...response, headers: [...response.headers, ...refusal.headers] }
}

import { HttpError } from '../../http/message.ts'
import { Refused } from '../reply/problem-response.ts'

/** The status that a failure will be answered with. */
export function statusOfFailure(error: unknown): number {
  if (error instanceof Refused) return error.problem.status
  return error instanceof HttpError ? 400 : 500
}

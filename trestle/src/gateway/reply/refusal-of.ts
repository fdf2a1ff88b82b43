import { platformProblem } from '../../call/problem.ts'
import { HttpError } from '../../http/message.ts'
import { Refused } from './problem-response.ts'

/** What a failure is to the client: a refusal as it is, a broken body as 4xx, the rest as `internal`. */
export function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error
  if (!(error instanceof HttpError)) return new Refused(platformProblem('internal'))
  const { code, message: detail } = error
  if (code === 'body_too_large') return new Refused(platformProblem('body_too_large', { detail }))
  if (code === 'body_timeout') return new Refused(platformProblem('request_timeout', { detail }))
  return new Refused(platformProblem(code === 'aborted' ? 'cancelled' : 'internal'))
}

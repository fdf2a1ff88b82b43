import type { HttpResponse } from '../../http/message.ts'
import type { EdgeHandler } from '../policy/policy.ts'
import { refusalOf } from '../reply/refusal-of.ts'
import type { EdgeRequest } from '../request/edge-request.ts'

/** Answers a request, and tells which status the client gets, also when it is that of a failure. */
export function watched(
  request: EdgeRequest,
  next: EdgeHandler,
  tell: (status: number, cached: boolean) => void,
): HttpResponse | Promise<HttpResponse> {
  const ended = (status: number) => tell(status, request.notes.cached === true)
  const answered = (reply: HttpResponse) => {
    ended(reply.status)
    return reply
  }
  const failed = (error: unknown): never => {
    ended(refusalOf(error).problem.status)
    throw error
  }
  let reply: HttpResponse | Promise<HttpResponse>
  try {
    reply = next(request)
  } catch (error) {
    return failed(error)
  }
  return reply instanceof Promise ? reply.then(answered, failed) : answered(reply)
}

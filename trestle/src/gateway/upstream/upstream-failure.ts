import { HttpError } from '../../http/message.ts'
import type { Outcome } from '../../registry/cluster.ts'
import { refused } from '../reply/problem-response.ts'

/** Says that this target cannot answer now: perhaps another one can. */
export function isTurnedAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

export function outcomeOfStatus(status: number): Outcome {
  if (status === 503 || status === 429) return 'overloaded'
  if (status === 502 || status === 504) return 'failed'
  return status >= 500 ? 'faulty' : 'ok'
}

/** What an error says about the target that was asked. */
export function outcomeOf(error: unknown): Outcome {
  switch (codeOf(error)) {
    case 'connect_failed':
    case 'untrusted':
      return 'unreachable'
    case 'reset':
    case 'bad_response':
    case 'timeout':
      return 'failed'
    default:
      // The client's own body, or its leaving; or our own line before the connections is full.
      return 'abandoned'
  }
}

/** What the client learns of an error; what is about the client's own body stays as it is. */
export function failureOf(error: unknown): unknown {
  switch (codeOf(error)) {
    case 'connect_failed':
      return refused('unavailable', { detail: 'The upstream cannot be reached' })
    case 'overloaded':
      return refused('overloaded', { detail: 'Too many requests wait for the upstream' })
    case 'untrusted':
      return refused('bad_gateway', { detail: "The upstream's certificate is not trusted" })
    case 'reset':
      return refused('bad_gateway', { detail: 'The upstream broke the connection off' })
    case 'bad_response':
      return refused('bad_gateway', { detail: "The upstream's reply is malformed" })
    case 'timeout':
      return refused('deadline_exceeded', { detail: 'The upstream did not answer in time' })
    default:
      return error
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof HttpError ? error.code : undefined
}

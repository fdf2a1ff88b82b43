import type { Call, Reply } from '../call/call.ts'
import { codeOfAbort } from '../call/abort-reason.ts'
import type { Outcome } from './cluster.ts'

/** What a reply says of the instance that gave it. Errors that the contract declares are answers like any other. */
export function outcomeOfReply(call: Call, reply: Reply): Outcome {
  if (call.signal.aborted && codeOfAbort(call.signal.reason) === 'cancelled') return 'abandoned'
  if (reply.ok || reply.problem.declared) return 'ok'
  return outcomes[reply.problem.code] ?? 'ok'
}

/** Codes that are not here are the caller's mistakes, or another service's. */
const outcomes: Readonly<Record<string, Outcome>> = {
  cancelled: 'abandoned',
  deadline_exceeded: 'failed',
  overloaded: 'overloaded',
  // It was there a moment ago, or is not there at all: the next call had better go elsewhere.
  unavailable: 'unreachable',
  outcome_unknown: 'unreachable',
  // A defect in one operation must not close the others; that one instance has it and the others have not may.
  internal: 'faulty',
  bad_reply: 'faulty',
}

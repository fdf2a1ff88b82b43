import type { Call, Reply } from '../../call/call.ts'
import { type ProblemExtra, platformProblem } from '../../call/problem.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'

export type FailedReply = Extract<Reply, { readonly ok: false }>

/** A failed reply with a platform problem. Failures of time and of the caller need no words. */
export function failed(code: PlatformCode, call: Call, extra: ProblemExtra = {}): FailedReply {
  const traced = { traceId: call.trace.traceId }
  if (code === 'deadline_exceeded' || code === 'cancelled') return { ok: false, problem: platformProblem(code, traced) }
  return { ok: false, problem: platformProblem(code, { ...traced, ...extra }) }
}

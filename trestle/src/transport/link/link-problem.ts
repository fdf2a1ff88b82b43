import type { Call, Reply } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'

/** A failed reply that the link itself gives. */
export function refusal(code: PlatformCode, call: Pick<Call, 'trace'>, detail?: string, retryAfterMs?: number): Reply {
  const extra = { ...(detail === undefined ? {} : { detail }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { ok: false, problem: platformProblem(code, { traceId: call.trace.traceId, ...extra }) }
}

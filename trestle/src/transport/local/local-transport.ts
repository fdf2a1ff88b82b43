import type { Call, Handle, Reply, Transport } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'

/**
 * Calls within the process. What crosses is a copy, as over a wire: the service's handle validates and copies input and
 * output by the contract, before anybody can touch the original again, and the caller is frozen here. Deadlines and
 * cancellation are kept by the client and by the handle, the same as for every transport.
 */
export function localTransport(handle: Handle): Transport {
  let closed = false
  return {
    send(call) {
      if (closed) return Promise.resolve(gone(call))
      Object.freeze(call.caller)
      Object.freeze(call.caller.scopes)
      return handle(call)
    },
    async close() {
      closed = true
    },
  }
}

function gone(call: Call): Reply {
  return {
    ok: false,
    problem: platformProblem('unavailable', { retryAfterMs: 1_000, traceId: call.trace.traceId }),
  }
}

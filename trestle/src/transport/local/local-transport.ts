import type { Call, Handle, Reply, Transport } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'

/**
 * Calls within the process, the same as over a wire: the service's handle copies input, output, details and caller by
 * the contract before anybody can touch the originals again, and client and handle keep deadline and cancellation.
 */
export function localTransport(handle: Handle): Transport {
  let closed = false
  return {
    send(call) {
      return closed ? Promise.resolve(gone(call)) : handle(call)
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

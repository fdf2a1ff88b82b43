import { cancelledByCaller, codeOfAbort, deadlinePassed } from './abort-reason.ts'
import { type Call, type Handle, labelOf, type Reply } from './call.ts'
import { platformProblem } from './problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { Clock } from '../std/clock.ts'

/**
 * Sends a call and waits for its reply, for its deadline, or for one of `signals`, whichever comes first. When it gives
 * up, the call's own signal aborts, so that the callee stops too. Never rejects; what comes too late is dropped.
 */
export function awaitReply(
  send: Handle,
  call: Omit<Call, 'signal'>,
  clock: Clock,
  signals: readonly (AbortSignal | undefined)[],
): Promise<Reply> {
  for (const signal of signals) {
    if (signal?.aborted === true) return Promise.resolve(failed(call, codeOfAbort(signal.reason)))
  }
  const leftMs = call.deadlineMs - clock.monotonic()
  if (leftMs <= 0) return Promise.resolve(failed(call, 'deadline_exceeded'))
  return new Promise((resolve) => {
    const own = new AbortController()
    let waiting = true
    const settle = (reply: Reply) => {
      waiting = false
      timer.cancel()
      for (const signal of signals) signal?.removeEventListener('abort', onAbort)
      resolve(reply)
    }
    const giveUp = (code: 'deadline_exceeded' | 'cancelled') => {
      if (!waiting) return
      settle(failed(call, code))
      own.abort(code === 'cancelled' ? cancelledByCaller() : deadlinePassed())
    }
    const onAbort = (event: Event) => giveUp(codeOfAbort((event.target as AbortSignal).reason))
    const timer = clock.setTimeout(() => giveUp('deadline_exceeded'), leftMs)
    for (const signal of signals) signal?.addEventListener('abort', onAbort)
    const answer = (reply: Reply) => {
      if (waiting) settle(reply)
    }
    const reject = (cause: unknown) => answer(failed(call, 'internal', `the transport rejected: ${String(cause)}`))
    send({ ...call, signal: own.signal }).then(answer, reject)
  })
}

/** The same problem as the callee would report: nobody can tell which of the two noticed first. */
function failed(call: Omit<Call, 'signal'>, code: PlatformCode, detail?: string): Reply {
  const where = { instance: labelOf(call), traceId: call.trace.traceId }
  return { ok: false, problem: platformProblem(code, detail === undefined ? where : { ...where, detail }) }
}

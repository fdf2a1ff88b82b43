import { cancelledByCaller, codeOfAbort, deadlinePassed } from './abort-reason.ts'
import type { Call, Handle, Reply } from './call.ts'
import { type ProblemExtra, platformProblem } from './problem.ts'
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
  const traceId = call.trace.traceId
  for (const signal of signals) {
    if (signal?.aborted === true) return Promise.resolve(failed(codeOfAbort(signal.reason), { traceId }))
  }
  const leftMs = call.deadlineMs - clock.monotonic()
  if (leftMs <= 0) return Promise.resolve(failed('deadline_exceeded', { traceId }))
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
      settle(failed(code, { traceId }))
      own.abort(code === 'cancelled' ? cancelledByCaller() : deadlinePassed())
    }
    const onAbort = (event: Event) => giveUp(codeOfAbort((event.target as AbortSignal).reason))
    const timer = clock.setTimeout(() => giveUp('deadline_exceeded'), leftMs)
    for (const signal of signals) signal?.addEventListener('abort', onAbort)
    const answer = (reply: Reply) => {
      if (waiting) settle(reply)
    }
    const reject = (cause: unknown) =>
      answer(failed('internal', { traceId, detail: `the transport rejected: ${String(cause)}` }))
    send({ ...call, signal: own.signal }).then(answer, reject)
  })
}

function failed(code: PlatformCode, extra: ProblemExtra): Reply {
  return { ok: false, problem: platformProblem(code, extra) }
}

import type { HttpClient } from '../../http/message.ts'
import type { Target } from './target.ts'

/** Makes the question why a target is not well: it is, `undefined`, when it answers with 2xx or 3xx. */
export function probeOf(
  http: HttpClient,
  path: string,
  timeoutMs: number,
): (target: Target, signal: AbortSignal) => Promise<string | undefined> {
  return async ({ origin, basePath }, signal) => {
    const headers = [['user-agent', 'trestle-health']] as const
    const reply = await http.request({ method: 'GET', origin, target: basePath + path, headers, signal, timeoutMs })
    if (reply.arrived?.() === undefined) await reply.discard()
    return reply.status < 400 ? undefined : `${path} answered ${reply.status}`
  }
}

import type { Attempt } from 'trestle/testing'
import type { WebReply } from '../web.ts'

/** Refusals that say: not now; the same request may be made again. */
const passing = new Set(['idempotency_in_progress', 'too_busy', 'rate_limited'])

/** What a reply says of an operation. A failure of the server decides nothing. */
export function attemptOf(
  reply: WebReply,
  pick: (body: WebReply['body']) => unknown = () => undefined,
): Attempt<WebReply> {
  const { status, body } = reply
  const code: string = body?.code ?? String(status)
  if (status >= 200 && status < 300) return { kind: 'ok', value: reply, output: pick(body) ?? { done: true } }
  if (status >= 500 || status === 429 || status === 408 || passing.has(code)) return { kind: 'unknown', code }
  return { kind: 'fail', code }
}

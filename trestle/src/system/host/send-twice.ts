import { isDeepStrictEqual } from 'node:util'
import type { Handle, Reply } from '../../call/call.ts'
import type { System } from '../system.ts'
import { idempotencyOf } from './repeatable.ts'

/** A second reply of a keyed operation that is not the first one: the operation does not keep its word. */
export interface Divergence {
  readonly contract: string
  readonly operation: string
  readonly first: Reply
  readonly second: Reply
}

/**
 * Sends what says that it is idempotent twice, one after the other; the first reply counts. The second of an operation
 * with a key must be equal to it; whether it is `natural` or has a key, the second effect must not be one.
 */
export function sendTwice(system: System, send: Handle, onDivergence: (divergence: Divergence) => void): Handle {
  const idempotent = idempotencyOf(system)
  return async (call) => {
    const kind = idempotent(call.contract, call.operation)
    const first = await send(call)
    if (kind === 'no' || (kind === 'key' && call.key === undefined) || !settled(first)) return first
    const second = await send(call)
    if (kind === 'key' && settled(second) && !sameReply(first, second)) {
      onDivergence({ contract: call.contract, operation: call.operation, first, second })
    }
    return first
  }
}

/** It was processed: answered, or refused with an error that the contract declares. */
function settled(reply: Reply): boolean {
  return reply.ok || reply.problem.declared
}

function sameReply(first: Reply, second: Reply): boolean {
  if (first.ok !== second.ok) return false
  if (!first.ok || !second.ok) return !first.ok && !second.ok && first.problem.code === second.problem.code
  return first.status === second.status && isDeepStrictEqual(valueOf(first), valueOf(second))
}

function valueOf({ body }: Reply & { readonly ok: true }): unknown {
  if (body.kind === 'empty') return undefined
  return body.kind === 'value' ? body.value : Buffer.from(body.bytes).toString('latin1')
}

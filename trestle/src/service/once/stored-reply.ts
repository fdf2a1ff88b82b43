import type { Reply } from '../../call/call.ts'
import type { Problem } from '../../call/problem.ts'

/** A reply as the record of its request keeps it. */
export interface StoredReply {
  readonly status: number
  /** Null without a body. */
  readonly contentType: string | null
  readonly bytes: Uint8Array | null
}

/** A success that has been serialised. */
export function storedOutput(status: number, bytes: Uint8Array, contentType: string): StoredReply {
  return contentType === '' ? { status, contentType: null, bytes: null } : { status, contentType, bytes }
}

export function storedProblem(problem: Problem): StoredReply {
  return {
    status: problem.status,
    contentType: 'application/problem+json',
    bytes: Buffer.from(JSON.stringify(problem)),
  }
}

/** Said of a reply that was kept: nothing was done for this request. */
const replayedHeader = 'Idempotency-Replayed'

/** The reply once more; whoever wants a value reads it from the bytes, by the contract. */
export function replyOf({ status, contentType, bytes }: StoredReply, replayed: boolean): Reply {
  if (status >= 400) {
    const problem = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as Problem
    return { ok: false, problem: replayed ? { ...problem, replayed } : problem }
  }
  return {
    ok: true,
    status,
    body: contentType === null ? { kind: 'empty' } : { kind: 'bytes', bytes: bytes ?? new Uint8Array(), contentType },
    ...(replayed ? { headers: { [replayedHeader]: 'true' } } : {}),
  }
}

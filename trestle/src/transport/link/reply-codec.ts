import type { Reply, ReplyBody } from '../../call/call.ts'
import type { Problem } from '../../call/problem.ts'
import { Flag, LinkProtocolError } from './frame.ts'

const json = 'application/json'

export interface EncodedReply {
  readonly flags: number
  readonly meta: string
  readonly body: Uint8Array | string | undefined
}

/** The meta part of a `reply` frame; left out for status 200, JSON and no headers. */
type ReplyMeta = readonly [status: number, contentType: string, headers: Readonly<Record<string, string>> | 0]

/** @throws when the value is no JSON */
export function encodeReply(reply: Reply): EncodedReply {
  if (!reply.ok) return { flags: Flag.failed, meta: '', body: JSON.stringify(reply.problem) }
  const { body } = reply
  const bytes = bodyOf(body)
  const contentType = body.kind === 'bytes' ? body.contentType : json
  const plain = reply.status === 200 && contentType === json && reply.headers === undefined
  const meta: ReplyMeta = [reply.status, contentType, reply.headers ?? 0]
  return { flags: bytes === undefined ? Flag.empty : 0, meta: plain ? '' : JSON.stringify(meta), body: bytes }
}

function bodyOf(body: ReplyBody): Uint8Array | string | undefined {
  if (body.kind === 'empty') return undefined
  return body.kind === 'bytes' ? body.bytes : (JSON.stringify(body.value) as string | undefined)
}

/**
 * The body stays bytes, whatever the caller wants: the typed client reads it by the contract, and whoever passes it on
 * does not read it at all.
 * @throws LinkProtocolError
 */
export function decodeReply(flags: number, meta: Buffer, body: Buffer): Reply {
  if ((flags & Flag.failed) !== 0) return { ok: false, problem: parseProblem(body) }
  const [status, contentType, headers] = meta.length === 0 ? ([200, json, 0] as const) : parseMeta(meta)
  return {
    ok: true,
    status,
    body: (flags & Flag.empty) === 0 ? { kind: 'bytes', bytes: body, contentType } : { kind: 'empty' },
    ...(headers === 0 ? {} : { headers }),
  }
}

function parseMeta(meta: Buffer): ReplyMeta {
  const value = parse(meta) as ReplyMeta
  const ok =
    Array.isArray(value) &&
    value.length === 3 &&
    Number.isInteger(value[0]) &&
    value[0] >= 200 &&
    value[0] < 400 &&
    typeof value[1] === 'string' &&
    (value[2] === 0 || (typeof value[2] === 'object' && value[2] !== null))
  if (!ok) throw new LinkProtocolError('malformed reply')
  return value
}

function parseProblem(body: Buffer): Problem {
  const value = parse(body) as Problem | null
  const ok =
    typeof value === 'object' &&
    value !== null &&
    typeof value.code === 'string' &&
    Number.isInteger(value.status) &&
    typeof value.title === 'string' &&
    typeof value.declared === 'boolean'
  if (!ok) throw new LinkProtocolError('malformed problem')
  return value
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new LinkProtocolError('malformed JSON in a reply')
  }
}

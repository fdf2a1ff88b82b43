import type { CompiledOperation, Parsed } from '../contract/compiled.ts'
import type { ReplyBody } from './call.ts'

const nothing = new Uint8Array(0)

/** A reply as the caller reads it: what came over a wire is parsed, checked against the contract, and stripped of undeclared fields. */
export function readBody(compiled: CompiledOperation, body: ReplyBody, status: number): Parsed {
  if (body.kind === 'value') return { ok: true, value: body.value }
  return compiled.parseReply(body.kind === 'empty' ? nothing : body.bytes, status)
}

import type { CompiledOperation, Parsed } from '../contract/compiled.ts'
import type { ReplyBody } from './call.ts'

const empty: Parsed = { ok: true, value: undefined }

/** A reply that came over a wire, as the caller reads it: parsed, checked against the contract, undeclared fields gone. */
export function readBody(compiled: CompiledOperation, body: ReplyBody, status: number): Parsed {
  if (body.kind === 'value') return { ok: true, value: body.value }
  if (body.kind === 'empty') return expectsBody(compiled, status) ? notWhatWasPromised('an empty reply') : empty
  const json = parseJson(body.bytes)
  return json.ok ? compiled.parseOutput(json.value, status) : notWhatWasPromised('not JSON')
}

function expectsBody({ operation }: CompiledOperation, status: number): boolean {
  return status === operation.status ? operation.output !== undefined : operation.responses?.[status] !== undefined
}

function parseJson(bytes: Uint8Array): Parsed {
  try {
    return { ok: true, value: JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) }
  } catch {
    return notWhatWasPromised('not JSON')
  }
}

function notWhatWasPromised(detail: string): Parsed {
  return { ok: false, faults: [{ pointer: '', detail }] }
}

import type { Call, Reply } from '../../call/call.ts'
import type { CompiledOperation } from '../../contract/compiled.ts'
import { parseJsonBytes } from '../../contract/json-bytes.ts'
import { isJson } from '../../contract/media-type.ts'
import type { ClientResponse } from '../../http/message.ts'
import { failed } from './failed.ts'
import { readFailure } from './read-failure.ts'

/** Largest body of a failure that is read. */
const failureMaxBytes = 262_144

/** An HTTP response as the reply to a call; what the contract does not allow is `bad_reply`. */
export async function readReply(
  compiled: CompiledOperation,
  call: Call,
  response: ClientResponse,
  maxBytes: number,
): Promise<Reply> {
  const { status } = response
  if (status >= 400) {
    const bytes = await response.bytes(failureMaxBytes)
    return readFailure(compiled, call, status, response.headers, bytes)
  }
  const { operation } = compiled
  if (status !== operation.status && !Object.hasOwn(operation.responses ?? {}, status)) {
    await response.discard()
    const detail = `the service answered with status ${status}, which ${operation.name} does not declare`
    return failed('bad_reply', call, { detail })
  }
  const bytes = await response.bytes(maxBytes)
  return call.want === 'value'
    ? asValue(compiled, call, status, bytes)
    : asBytes(compiled, call, status, bytes, response.headers.get('content-type'))
}

function asValue(compiled: CompiledOperation, call: Call, status: number, bytes: Uint8Array): Reply {
  const parsed = compiled.parseReply(bytes, status)
  if (!parsed.ok) return mismatch(call, parsed.faults)
  return { ok: true, status, body: { kind: 'value', value: parsed.value } }
}

/** Written anew, so that only what the contract declares goes on. */
function asBytes(
  compiled: CompiledOperation,
  call: Call,
  status: number,
  bytes: Uint8Array,
  contentType: string | undefined,
): Reply {
  const parsed = compiled.parseReply(bytes, status)
  if (!parsed.ok) return mismatch(call, parsed.faults)
  if (parsed.value === undefined) return { ok: true, status, body: { kind: 'empty' } }
  if (!isJson(contentType)) {
    return { ok: true, status, body: { kind: 'bytes', bytes, contentType: contentType ?? 'application/octet-stream' } }
  }
  const json = parseJsonBytes(bytes)
  const written = compiled.serializeOutput(json.ok ? json.value : undefined, status)
  if (!written.ok) return mismatch(call, written.faults)
  return { ok: true, status, body: { kind: 'bytes', bytes: written.bytes, contentType: written.contentType } }
}

function mismatch(call: Call, faults: readonly { readonly pointer: string; readonly detail: string }[]): Reply {
  const [fault] = faults
  const detail = `the service's reply does not match the contract at '${fault?.pointer ?? ''}': ${fault?.detail ?? ''}`
  return failed('bad_reply', call, { detail })
}

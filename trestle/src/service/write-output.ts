import type { Call, Reply } from '../call/call.ts'
import type { InputFault } from '../contract/input-fault.ts'
import type { BoundOperation } from './bound-operation.ts'
import { internal } from './problem-of-error.ts'
import { StatusReply } from './reply.ts'

/** What a handler returned, as the caller wants it: a copy or bytes, checked by the contract. */
export function writeOutput(bound: BoundOperation, call: Call, returned: unknown): Reply {
  const chosen = returned instanceof StatusReply
  const status = chosen ? returned.status : bound.operation.status
  const value = chosen ? returned.body : returned
  if (call.want === 'value') {
    const parsed = bound.compiled.parseOutput(value, status)
    if (!parsed.ok) return mismatch(bound, call, parsed.faults)
    return { ok: true, status, body: { kind: 'value', value: parsed.value } }
  }
  const written = bound.compiled.serializeOutput(value, status)
  if (!written.ok) return mismatch(bound, call, written.faults)
  const { bytes, contentType } = written
  return { ok: true, status, body: contentType === '' ? { kind: 'empty' } : { kind: 'bytes', bytes, contentType } }
}

function mismatch(bound: BoundOperation, call: Call, faults: readonly InputFault[]): Reply {
  const { label, deps } = bound
  const fields = { operation: label, code: 'internal', traceId: call.trace.traceId, faults }
  deps.log.error(fields, `${label} returned something that its contract does not allow`)
  return { ok: false, problem: internal(bound, call).problem }
}

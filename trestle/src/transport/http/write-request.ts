import { type Call, labelOf } from '../../call/call.ts'
import { compileBinding } from '../../contract/bind-rest.ts'
import { encodeBytes } from '../../contract/bytes.ts'
import type { CompiledOperation, ParsedRest, RestRequest } from '../../contract/compiled.ts'
import type { RestInput } from '../../contract/rest-input.ts'
import { type FailedReply, failed } from './failed.ts'

type Written = { readonly ok: true; readonly request: RestRequest } | FailedReply

/** A call as an HTTP request, or why it is none: input is checked here, before a foreign service sees it. */
export function writeRequest(compiled: CompiledOperation, call: Call): Written {
  const { input } = call
  const instance = labelOf(call)
  const parsed: ParsedRest = input.kind === 'rest' ? compiled.parseRest(input) : checked(compiled, input.value)
  if (!parsed.ok) return failed(parsed.code, call, { instance, errors: parsed.faults })
  try {
    const flat = input.kind === 'rest' ? flatOf(compiled, input) : input.value
    return { ok: true, request: compiled.toRest(flat) }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return failed('invalid_input', call, { instance, detail })
  }
}

function checked(compiled: CompiledOperation, value: unknown): ParsedRest {
  const parsed = compiled.parseInput(value)
  return parsed.ok ? parsed : { ...parsed, code: 'invalid_input' }
}

/** The wire form of what came from the edge: only what the contract declares goes on. */
function flatOf({ operation }: CompiledOperation, rest: RestInput): Record<string, unknown> {
  const bound = compileBinding(operation)(rest)
  if (!bound.ok) throw new TypeError('the request does not match the contract')
  return bound.raw === undefined ? bound.flat : { ...bound.flat, [bound.raw.field]: encodeBytes(bound.raw.octets) }
}

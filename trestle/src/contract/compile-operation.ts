import type { z } from 'zod'
import { compileBinding } from './bind-rest.ts'
import { bytesContentTypes, decodeBytes, encodeBytes } from './bytes.ts'
import type { CompiledOperation, Parsed, ParsedRest, RestRequest, Serialized } from './compiled.ts'
import type { InputFault } from './input-fault.ts'
import { jsonBytes, parseJsonBytes } from './json-bytes.ts'
import type { AnyOperation } from './operation.ts'
import type { RestInput } from './rest-input.ts'
import { compileToRest } from './to-rest.ts'
import { wireSchema } from './wire-schema.ts'

type NamedOperation = AnyOperation & { readonly name: string }

const compiled = new WeakMap<AnyOperation, CompiledOperation>()

/**
 * Makes an operation ready to run, once per operation. Each part (input, each reply, each error) is compiled when it is
 * first used, so that a process that starts pays only for what it serves.
 */
export function compileOperation(operation: NamedOperation): CompiledOperation {
  const known = compiled.get(operation)
  if (known !== undefined) return known
  const made = compile(operation)
  compiled.set(operation, made)
  return made
}

const absent: Parsed = { ok: true, value: undefined }
const fault = (detail: string) => ({ ok: false as const, faults: [{ pointer: '', detail }] })

/** The schema of a reply; `'none'` when the status has no body, `undefined` when the operation declares no such status. */
function replySchema(operation: AnyOperation, status: number): z.ZodType | 'none' | undefined {
  const declared = operation.responses?.[status] as z.ZodType | undefined
  if (declared !== undefined) return declared
  if (status !== operation.status) return undefined
  return (operation.output as z.ZodType | undefined) ?? 'none'
}

function compile(operation: NamedOperation): CompiledOperation {
  const input = wireSchema(operation.input)
  let bind: ((rest: RestInput) => ReturnType<ReturnType<typeof compileBinding>>) | undefined
  let write: ((flat: Record<string, unknown>) => RestRequest) | undefined
  // Who sends the request knows the header, not the field that is made of it.
  const inItsHeader = (found: InputFault): InputFault => {
    const field = found.pointer.slice(1)
    if (!Object.hasOwn(operation.headers, field)) return found
    return { ...found, detail: `${found.detail} (the header ${operation.headers[field]})` }
  }
  return {
    operation,
    parseInput: (value) => input.read(value),
    parseRest(rest): ParsedRest {
      bind ??= compileBinding(operation)
      const bound = bind(rest)
      if (!bound.ok) return bound
      const parsed = input.read(bound.flat)
      if (!parsed.ok) return { ok: false, code: 'invalid_input', faults: parsed.faults.map(inItsHeader) }
      if (bound.raw !== undefined) (parsed.value as Record<string, unknown>)[bound.raw.field] = bound.raw.octets
      return parsed
    },
    parseOutput: (value, status) => readReply(operation, value, status),
    parseReply: (bytes, status) => readReplyBytes(operation, bytes, status),
    serializeOutput: (value, status) => writeReply(operation, value, status),
    toRest(value) {
      write ??= compileToRest(operation)
      const parsed = input.wire(value)
      if (!parsed.ok)
        throw new TypeError(
          `the input of ${operation.name} is invalid: ${parsed.faults[0]?.pointer} ${parsed.faults[0]?.detail}`,
        )
      return write(parsed.value as Record<string, unknown>)
    },
    parseDetails(code, details) {
      const declared = Object.hasOwn(operation.errors, code) ? operation.errors[code] : undefined
      if (declared === undefined) return fault(`${operation.name} declares no error ${JSON.stringify(code)}`)
      return declared.details === undefined ? absent : wireSchema(declared.details).read(details)
    },
  }
}

function unknownStatus(operation: NamedOperation, status: number) {
  return fault(`${operation.name} declares no reply with status ${status}`)
}

function readReply(operation: NamedOperation, value: unknown, status: number): Parsed {
  const schema = replySchema(operation, status)
  if (schema === undefined) return unknownStatus(operation, status)
  return schema === 'none' ? absent : wireSchema(schema).read(value)
}

function readReplyBytes(operation: NamedOperation, bytes: Uint8Array, status: number): Parsed {
  const schema = replySchema(operation, status)
  if (schema === undefined) return unknownStatus(operation, status)
  if (schema === 'none') return absent
  if (bytesContentTypes(schema) !== undefined) return wireSchema(schema).read(encodeBytes(bytes))
  const json = parseJsonBytes(bytes)
  return json.ok ? wireSchema(schema).read(json.value) : fault(json.detail)
}

function writeReply(operation: NamedOperation, value: unknown, status: number): Serialized {
  const schema = replySchema(operation, status)
  if (schema === undefined) return unknownStatus(operation, status)
  if (schema === 'none') return { ok: true, bytes: new Uint8Array(0), contentType: '' }
  const contentTypes = bytesContentTypes(schema)
  if (contentTypes === undefined) {
    const text = wireSchema(schema).stringify(value)
    return text.ok ? { ok: true, bytes: jsonBytes(text.json), contentType: 'application/json' } : text
  }
  const parsed = wireSchema(schema).wire(value)
  if (!parsed.ok) return parsed
  return {
    ok: true,
    bytes: decodeBytes(parsed.value as string),
    contentType: contentTypes[0] ?? 'application/octet-stream',
  }
}

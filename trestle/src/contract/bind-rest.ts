import { type Binding, type BoundField, bindingOf } from './binding.ts'
import { coercion, textualItem } from './coerce.ts'
import { pointerToken } from './faults.ts'
import type { InputFault } from './input-fault.ts'
import { parseJsonBytes } from './json-bytes.ts'
import { isAmong, isJson } from './media-type.ts'
import type { AnyOperation } from './operation.ts'
import { escapesPlainText } from './plain-text.ts'
import { parseQuery } from './query-string.ts'
import type { RestInput } from './rest-input.ts'

export type BoundRest =
  | {
      readonly ok: true
      /** The flat input in wire form, not yet validated. */
      readonly flat: Record<string, unknown>
      /** The octets of a raw body: they take the place of the field after validation. */
      readonly raw: { readonly field: string; readonly octets: Uint8Array } | undefined
    }
  | {
      readonly ok: false
      readonly code: 'invalid_input' | 'unsupported_media_type'
      readonly faults: readonly InputFault[]
    }

type Flat = Record<string, unknown>
type ReadField = (rest: RestInput, query: ReadonlyMap<string, readonly string[]>, flat: Flat) => InputFault | undefined

const invalid = (...faults: InputFault[]): BoundRest => ({ ok: false, code: 'invalid_input', faults })

/** Makes the function that binds an HTTP request to the operation's flat input. Only declared fields are taken. */
export function compileBinding(operation: AnyOperation): (rest: RestInput) => BoundRest {
  const binding = bindingOf(operation)
  const readers = binding.fields.filter((field) => field.place !== 'body').map(readerOf)
  const wantsQuery = binding.fields.some((field) => field.place === 'query')
  const bodyNames = binding.fields.filter((field) => field.place === 'body').map((field) => field.name)
  return (rest) => {
    const query = parseQuery(wantsQuery ? rest.query : '')
    if (!query.ok) return invalid({ pointer: '', detail: `the query ${query.detail}` })
    const flat: Flat = {}
    const faults = readers.map((read) => read(rest, query.values, flat)).filter((fault) => fault !== undefined)
    if (faults.length > 0) return invalid(...faults)
    return readBody(binding, bodyNames, rest, flat)
  }
}

function readerOf(field: BoundField): ReadField {
  const { name, place, schema } = field
  const item = place === 'query' ? textualItem(schema) : undefined
  const coerce = coercion(item ?? schema)
  if (place === 'path') return (rest, _query, flat) => setText(flat, name, own(rest.params, name), coerce)
  if (place === 'header') return (rest, _query, flat) => setText(flat, name, own(rest.headers, name), coerce)
  if (item !== undefined) {
    return (_rest, query, flat) => {
      const values = query.get(name)
      if (values !== undefined) flat[name] = values.map(coerce)
      return undefined
    }
  }
  return (_rest, query, flat) => {
    const values = query.get(name)
    if (values !== undefined && values.length > 1)
      return { pointer: pointerToken(name), detail: 'is given more than once' }
    return setText(flat, name, values?.[0], coerce)
  }
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function setText(flat: Flat, name: string, text: string | undefined, coerce: (text: string) => unknown): undefined {
  if (text !== undefined) flat[name] = coerce(text)
}

function readBody(binding: Binding, bodyNames: readonly string[], rest: RestInput, flat: Flat): BoundRest {
  const { body, contentType } = rest
  if (binding.body === 'none') return { ok: true, flat, raw: undefined }
  if (binding.body === 'bytes') return readRaw(binding, rest, flat)
  if (body === undefined || body.length === 0) return { ok: true, flat, raw: undefined }
  if (!isJson(contentType)) {
    const detail = `the body must be application/json, not ${contentType === undefined ? 'without a content type' : JSON.stringify(contentType.slice(0, 100))}`
    return { ok: false, code: 'unsupported_media_type', faults: [{ pointer: '', detail }] }
  }
  const json = parseJsonBytes(body)
  if (!json.ok) return invalid({ pointer: '', detail: json.detail })
  if (escapesPlainText(json.text)) {
    return invalid({ pointer: '', detail: 'the body has a text with U+0000 or half a surrogate pair' })
  }
  if (binding.bodyField !== undefined) {
    flat[binding.bodyField] = json.value
    return { ok: true, flat, raw: undefined }
  }
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return invalid({ pointer: '', detail: 'the body must be an object' })
  }
  const source = json.value as Flat
  for (const name of bodyNames) if (Object.hasOwn(source, name)) flat[name] = source[name]
  return { ok: true, flat, raw: undefined }
}

function readRaw(binding: Binding, rest: RestInput, flat: Flat): BoundRest {
  const field = binding.bodyField as string
  if (rest.body === undefined) return { ok: true, flat, raw: undefined }
  if (!isAmong(rest.contentType, binding.contentTypes)) {
    const detail = `the body must be ${binding.contentTypes.join(' or ')}`
    return { ok: false, code: 'unsupported_media_type', faults: [{ pointer: '', detail }] }
  }
  // Any base64 text passes validation; the octets themselves need none and are put in its place afterwards.
  flat[field] = ''
  return { ok: true, flat, raw: { field, octets: rest.body } }
}

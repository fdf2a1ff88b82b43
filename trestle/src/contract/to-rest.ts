import { bindingOf } from './binding.ts'
import { decodeBytes } from './bytes.ts'
import type { RestRequest } from './compiled.ts'
import { jsonBytes } from './json-bytes.ts'
import type { AnyOperation } from './operation.ts'

type Flat = Readonly<Record<string, unknown>>

function encodePart(value: unknown): string {
  return encodeURIComponent(String(value))
}

function queryOf(names: readonly string[], flat: Flat): string {
  const pairs = names.flatMap((name) => {
    const value = flat[name]
    const values: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value]
    return values.map((one) => `${encodePart(name)}=${encodePart(one)}`)
  })
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** A path segment must stay one: `.` and `..` would be taken as steps, and cannot be escaped. */
function pathPart(name: string, value: unknown): string {
  const text = String(value)
  if (text === '' || text === '.' || text === '..') {
    throw new TypeError(`${JSON.stringify(text)} cannot stand for {${name}} in a path`)
  }
  return encodePart(text)
}

/**
 * Makes the function that writes flat input (wire form, validated) as an HTTP request, the other way round of
 * `compileBinding`: what it writes, that reads.
 * @throws TypeError when a value cannot stand in its place: `..` in a path, a line break in a header
 */
export function compileToRest(operation: AnyOperation): (flat: Flat) => RestRequest {
  const { rest } = operation
  if (rest === undefined) throw new TypeError('an operation without a route cannot be asked over HTTP')
  const binding = bindingOf(operation)
  const namesAt = (place: string) => binding.fields.filter((field) => field.place === place).map((field) => field.name)
  const [queryNames, bodyNames] = [namesAt('query'), namesAt('body')]
  const headers = binding.fields.filter((field) => field.place === 'header')
  return (flat) => ({
    method: rest.method,
    target:
      rest.path.replace(/\{([^{}]*)\}/g, (_, name: string) => pathPart(name, flat[name])) + queryOf(queryNames, flat),
    headers: Object.fromEntries(
      headers
        .filter(({ name }) => flat[name] !== undefined)
        .map(({ name, header }) => [header as string, headerValue(name, flat[name])]),
    ),
    ...bodyOf(flat, bodyNames, binding),
  })
}

function headerValue(name: string, value: unknown): string {
  const text = String(value)
  // Visible ASCII, blanks and tabs inside. Source: RFC 9110, section 5.5.
  if (!/^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/.test(text)) {
    throw new TypeError(`the value of ${JSON.stringify(name)} cannot stand in a header`)
  }
  return text
}

function bodyOf(flat: Flat, names: readonly string[], binding: ReturnType<typeof bindingOf>) {
  const nothing = { contentType: undefined, body: undefined }
  if (binding.body === 'none') return nothing
  if (binding.body === 'object') {
    if (names.length === 0) return nothing
    const fields = Object.fromEntries(
      names.filter((name) => flat[name] !== undefined).map((name) => [name, flat[name]]),
    )
    return { contentType: 'application/json', body: jsonBytes(JSON.stringify(fields)) }
  }
  const value = flat[binding.bodyField as string]
  if (value === undefined) return nothing
  if (binding.body === 'bytes') {
    return { contentType: binding.contentTypes[0] ?? 'application/octet-stream', body: decodeBytes(value as string) }
  }
  return { contentType: 'application/json', body: jsonBytes(JSON.stringify(value)) }
}

import type { z } from 'zod'
import { bindingOf, templateFields } from './binding.ts'
import { bytesContentTypes } from './bytes.ts'
import { checkWire } from './check-wire.ts'
import { isTextual, textualItem } from './coerce.ts'
import { ContractError } from './contract-error.ts'
import type { AnyOperation } from './operation.ts'
import { platformErrors } from './platform-errors.ts'
import type { DeclaredError } from './problem.ts'
import { defOf, mayBeMissing, unwrap } from './zod-def.ts'

/** Checks one operation as written. @throws ContractError */
export function checkOperation(operation: AnyOperation, place: string): void {
  checkSchemas(operation, place)
  checkErrors(operation.errors, place)
  checkReplies(operation, place)
  checkLimits(operation, place)
  checkAccess(operation, place)
  checkDeprecation(operation, place)
  checkBindings(operation, place)
  if (operation.rest !== undefined) checkRoute(operation, place)
}

function refuse(place: string, message: string): never {
  throw new ContractError(place, message)
}

function checkSchemas(operation: AnyOperation, place: string): void {
  const { input, output, responses, errors } = operation
  if (defOf(input).type !== 'object') refuse(`${place} input`, 'the input is one flat object: use z.object({...})')
  checkWire(input, `${place} input`)
  if (output !== undefined) checkWire(output, `${place} output`)
  for (const [status, schema] of Object.entries(responses ?? {}))
    checkWire(schema as z.ZodType, `${place} responses[${status}]`)
  for (const [code, error] of Object.entries(errors as Record<string, DeclaredError>)) {
    if (error.details !== undefined) checkWire(error.details, `${place} errors.${code}`, { codecs: false })
  }
}

function checkErrors(errors: Readonly<Record<string, DeclaredError>>, place: string): void {
  for (const [code, { status }] of Object.entries(errors)) {
    const at = `${place} errors.${code}`
    if (!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(code)) refuse(at, 'an error code is snake_case: cart_empty')
    if (!Number.isInteger(status) || status < 400 || status > 599)
      refuse(at, 'the status of an error is a whole number from 400 to 599')
    const platform = Object.hasOwn(platformErrors, code)
      ? platformErrors[code as keyof typeof platformErrors]
      : undefined
    if (platform !== undefined && platform.status !== status) {
      refuse(at, `the platform uses this code with status ${platform.status}: use that status or another code`)
    }
  }
}

function checkReplies(operation: AnyOperation, place: string): void {
  const { output, responses, status } = operation
  if (responses === undefined) {
    if (status === 201 && output === undefined) refuse(place, 'created answers 201 with an output: say the output')
    return
  }
  if (output !== undefined) refuse(place, 'has output and responses: say all replies in responses')
  const statuses = Object.keys(responses).map(Number)
  if (statuses.length === 0) refuse(`${place} responses`, 'is empty: leave it out')
  for (const code of statuses) {
    if (!Number.isInteger(code) || code < 200 || code > 299 || code === 204 || code === 205) {
      refuse(`${place} responses[${code}]`, 'a reply with a body has a status from 200 to 299, without 204 and 205')
    }
  }
}

const hourMs = 3_600_000
const bodyMaxBytesMax = 1_073_741_824

function checkLimits({ timeoutMs, bodyMaxBytes }: AnyOperation, place: string): void {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > hourMs) {
    refuse(`${place} timeoutMs`, `must be a whole number from 1 to ${hourMs} (milliseconds), not ${timeoutMs}`)
  }
  if (!Number.isInteger(bodyMaxBytes) || bodyMaxBytes < 0 || bodyMaxBytes > bodyMaxBytesMax) {
    refuse(`${place} bodyMaxBytes`, `must be a whole number from 0 to ${bodyMaxBytesMax} (bytes), not ${bodyMaxBytes}`)
  }
}

// Source: RFC 6749, section 3.3.
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function checkAccess({ access }: AnyOperation, place: string): void {
  if (access?.kind !== 'scopes') return
  if (access.scopes.length === 0) refuse(`${place} access`, 'scopes() needs at least one scope; signedIn() needs none')
  const bad = access.scopes.find((scope) => !scopeForm.test(scope))
  if (bad !== undefined)
    refuse(`${place} access`, `${JSON.stringify(bad)} is no scope: no blanks, quotes or backslashes`)
}

/** Milliseconds since 1970 of an ISO 8601 date (`2027-01-31`, the start of the day in UTC) or date-time. */
function dateMs(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z)?$/.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text.slice(0, 10) ? undefined : ms
}

function checkDeprecation({ deprecated }: AnyOperation, place: string): void {
  if (deprecated === undefined) return
  const on = dateMs(deprecated.on)
  const sunset = deprecated.sunset === undefined ? undefined : dateMs(deprecated.sunset)
  if (on === undefined) refuse(`${place} deprecated.on`, `${JSON.stringify(deprecated.on)} is no ISO date: 2027-01-31`)
  if (deprecated.sunset !== undefined && sunset === undefined) {
    refuse(`${place} deprecated.sunset`, `${JSON.stringify(deprecated.sunset)} is no ISO date: 2027-01-31`)
  }
  if (sunset !== undefined && sunset < on) refuse(`${place} deprecated.sunset`, 'is before the deprecation')
}

// Source: RFC 9110, section 5.6.2. Hop-by-hop headers and those that frame a message are not an operation's to bind.
const headerForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const reservedHeaders = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-connection',
  'idempotency-key',
  'idempotency-cancels',
  'traceparent',
  'tracestate',
])

function checkBindings(operation: AnyOperation, place: string): void {
  const shape = operation.input.shape as Record<string, z.ZodType>
  if (operation.body !== undefined && !Object.hasOwn(shape, operation.body)) {
    refuse(`${place} body`, `${JSON.stringify(operation.body)} is not in the input`)
  }
  const bound = new Map<string, string>()
  for (const [field, name] of Object.entries(operation.headers)) {
    const at = `${place} headers.${field}`
    const lower = name.toLowerCase()
    if (!Object.hasOwn(shape, field)) refuse(at, 'is not in the input')
    if (!headerForm.test(name)) refuse(at, `${JSON.stringify(name)} is no header name`)
    if (reservedHeaders.has(lower)) refuse(at, `${lower} is the platform's to read: an operation cannot bind it`)
    if (field === operation.body) refuse(at, 'is bound to the body already')
    if (bound.has(lower)) refuse(at, `${lower} is bound to ${JSON.stringify(bound.get(lower))} already`)
    if (!isTextual(shape[field] as z.ZodType))
      refuse(at, 'a header is text: string, number, boolean, enum or a codec from one')
    bound.set(lower, field)
  }
  for (const [field, schema] of Object.entries(shape)) {
    const types = bytesContentTypes(schema)
    const bad = types?.find((type) => !/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/i.test(type))
    if (bad !== undefined) refuse(`${place} input.${field}`, `${JSON.stringify(bad)} is no media type`)
  }
}

// Literal characters of a path segment that need no escape, and `{field}` as a whole segment or as a part of one.
const segmentForm = /^(?:[A-Za-z0-9._~!$&'()+,=:@-]|\{[A-Za-z_][A-Za-z0-9_]*\})+$/

function checkTemplate(path: string, place: string): readonly string[] {
  const at = `${place} ${path}`
  if (!path.startsWith('/')) refuse(at, 'a path starts with /')
  const segments = path.replace(/\/$/, '').split('/').slice(1)
  for (const segment of segments) {
    if (segment === '') refuse(at, 'has an empty segment: no //')
    if (segment === '.' || segment === '..') refuse(at, 'has a dot segment')
    if (!segmentForm.test(segment))
      refuse(at, `${JSON.stringify(segment)} is no path segment: plain characters and {field}s`)
    if (/\}\{/.test(segment)) refuse(at, `${JSON.stringify(segment)} has two fields with nothing between them`)
  }
  const fields = templateFields(path)
  const twice = fields.find((field, index) => fields.indexOf(field) !== index)
  if (twice !== undefined) refuse(at, `{${twice}} is in the path twice`)
  return fields
}

function checkRoute(operation: AnyOperation, place: string): void {
  const { path } = operation.rest as NonNullable<AnyOperation['rest']>
  const shape = operation.input.shape as Record<string, z.ZodType>
  for (const field of checkTemplate(path, place)) {
    const at = `${place} ${path}`
    const schema = Object.hasOwn(shape, field) ? shape[field] : undefined
    if (schema === undefined) refuse(at, `{${field}} is in the path but not in the input`)
    if (Object.hasOwn(operation.headers, field)) refuse(at, `{${field}} is bound to a header too`)
    if (field === operation.body) refuse(at, `{${field}} is the body too`)
    if (mayBeMissing(schema)) refuse(at, `{${field}} comes from the path: it cannot be optional or have a default`)
    if (!isTextual(schema))
      refuse(at, `{${field}} comes from the path: it must be a string, number, boolean, enum or a codec from one`)
  }
  for (const { name, place: where, schema } of bindingOf(operation).fields) {
    if (where !== 'query' || isTextual(schema) || textualItem(schema) !== undefined) continue
    const type = defOf(unwrap(schema)).type
    refuse(`${place} input.${name}`, `comes from the query: it must be a scalar or an array of scalars, not ${type}`)
  }
}

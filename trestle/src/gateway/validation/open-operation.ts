import type { InputFault } from '../../contract/input-fault.ts'
import { parseJsonBytes } from '../../contract/json-bytes.ts'
import { parseQuery } from '../../contract/query-string.ts'
import { pointerToken } from '../../contract/faults.ts'
import type { Validate } from '../../contract/validator.ts'
import type { HttpRequest } from '../../http/message.ts'
import type { ForeignOperation } from '../document/foreign-operations.ts'
import { isObject, type Json } from '../document/json.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { type ParameterReader, readerOf } from './read-parameter.ts'
import { compileRequestSchema } from './request-schema.ts'

interface Checked {
  readonly name: string
  readonly where: string
  readonly required: boolean
  readonly emptyAllowed: boolean
  readonly reader: ParameterReader
  readonly validate: Validate
}

/** Holds a request to what its operation says; `values`: the path's, by name, decoded. @throws Refused */
export type CheckRequest = (request: EdgeRequest, values: ReadonlyMap<string, string>) => Promise<HttpRequest>

/**
 * Makes the check of one operation of a foreign document. Text in path, query and headers is read as its schema's type;
 * JSON bodies are validated as they are and passed on byte for byte; other bodies only by their media type.
 */
export function openOperation(
  { operation: { method, path, parameters, body }, components, bodyMaxBytes }: OpenOperationArgs,
  place: string,
): CheckRequest {
  const at = `${place}: ${method} ${path}`
  const root: Json = { components }
  const checked = parameters.flatMap((parameter) => checkedParameter(parameter, root, at))
  const query = checked.filter(({ where }) => where === 'query')
  const others = checked.filter(({ where }) => where !== 'query')
  const readBody = body === undefined ? undefined : bodyCheck(body, components, bodyMaxBytes, at)
  return async (request, values) => {
    const faults: InputFault[] = []
    const textOf = (one: Checked) => (one.where === 'path' ? values.get(one.name) : request.headers.get(one.name))
    for (const one of others) {
      const text = textOf(one)
      checkValue(one, text === undefined ? undefined : [text], faults)
    }
    if (query.length > 0) {
      const parsed = parseQuery(request.query)
      if (!parsed.ok) throw refused('invalid_input', { errors: [{ pointer: '/query', detail: parsed.detail }] })
      for (const one of query) checkValue(one, parsed.values.get(one.name), faults)
    }
    const checkedBody = await readBody?.(request, faults)
    if (faults.length > 0) throw refused('invalid_input', { errors: faults })
    return checkedBody ?? request.http
  }
}

export interface OpenOperationArgs {
  readonly operation: ForeignOperation
  readonly components: Json
  readonly bodyMaxBytes: number
}

function checkedParameter(parameter: Json, root: Json, at: string): readonly Checked[] {
  const { name, in: where } = parameter
  const reader = readerOf(parameter, root)
  // What the gateway or HTTP itself reads is not a parameter. Source: OpenAPI 3.1.1, parameter object.
  const ignored = where === 'header' && /^(?:accept|content-type|authorization)$/i.test(String(name))
  if (typeof name !== 'string' || reader === undefined || ignored) return []
  if (where !== 'path' && where !== 'query' && where !== 'header') return []
  const content = isObject(parameter['content']) ? parameter['content']['application/json'] : undefined
  const schema = isObject(content) ? content['schema'] : parameter['schema']
  return [
    {
      name,
      where,
      // One of the path is there, or stands in a segment with other text, which is not read.
      required: parameter['required'] === true && where !== 'path',
      emptyAllowed: parameter['allowEmptyValue'] === true,
      reader,
      validate: compileRequestSchema(schema ?? {}, root['components'] as Json, `${at}, parameter ${name}`),
    },
  ]
}

function checkValue(one: Checked, texts: readonly string[] | undefined, faults: InputFault[]): void {
  const pointer = `/${one.where}${pointerToken(one.name)}`
  if (texts === undefined) {
    if (one.required) faults.push({ pointer, detail: 'is required' })
    return
  }
  if (one.emptyAllowed && texts.every((text) => text === '')) return
  if (texts.length > 1 && !one.reader.repeats) {
    faults.push({ pointer, detail: 'is given more than once' })
    return
  }
  for (const fault of one.validate(one.reader.read(texts)) ?? []) {
    faults.push({ pointer: pointer + fault.pointer, detail: fault.detail })
  }
}

type BodyCheck = (request: EdgeRequest, faults: InputFault[]) => Promise<HttpRequest | undefined>

function bodyCheck(body: Json, components: Json, bodyMaxBytes: number, at: string): BodyCheck {
  const types = Object.entries(isObject(body['content']) ? body['content'] : {}).map(([range, media]) => {
    const schema = isObject(media) ? media['schema'] : undefined
    return { range: range.toLowerCase(), validate: compileRequestSchema(schema ?? {}, components, `${at}, body`) }
  })
  const required = body['required'] === true
  return async ({ http, headers }, faults) => {
    if (!http.body.present) {
      if (required) faults.push({ pointer: '/body', detail: 'is required' })
      return undefined
    }
    const type = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
    const media = bestOf(types, type)
    if (media === undefined) {
      throw refused('unsupported_media_type', {
        detail: `The body must be ${types.map(({ range }) => range).join(' or ')}`,
      })
    }
    if (!/^application\/(?:[\w.+-]+\+)?json$/.test(type)) return undefined
    if (headers.get('content-encoding') !== undefined) {
      throw refused('unsupported_media_type', { detail: 'A body that is checked must have no Content-Encoding' })
    }
    const bytes = await http.body.bytes(bodyMaxBytes)
    const json = parseJsonBytes(bytes)
    if (!json.ok) faults.push({ pointer: '/body', detail: json.detail })
    else
      for (const { pointer, detail } of media.validate(json.value) ?? [])
        faults.push({ pointer: `/body${pointer}`, detail })
    return withBody(http, bytes)
  }
}

/** The exact type before `application/*` before the one for all. */
function bestOf<T extends { readonly range: string }>(types: readonly T[], type: string): T | undefined {
  const main = type.slice(0, type.indexOf('/') + 1)
  return [type, `${main}*`, '*/*']
    .map((range) => types.find((one) => one.range === range))
    .find((one) => one !== undefined)
}

/** The request again, with the body that has been read from it. */
function withBody(http: HttpRequest, bytes: Uint8Array): HttpRequest {
  const { method, target, headers, remoteAddress, encrypted } = http
  async function* stream() {
    yield bytes
  }
  return {
    method,
    target,
    headers,
    remoteAddress,
    encrypted,
    get signal() {
      return http.signal
    },
    ...(http.gone === undefined ? {} : { gone: http.gone }),
    body: { present: true, bytes: async () => bytes, stream },
  }
}

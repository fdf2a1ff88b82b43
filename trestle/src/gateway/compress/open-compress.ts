import type { HeaderFields, HttpResponse } from '../../http/message.ts'
import type { Advice } from '../policy/policy.ts'
import { type ContentCoding, preferredCoding } from './accept-encoding.ts'
import type { CompressOptions } from './compress.ts'
import { encodeStream, encodeWhole } from './encode.ts'

/** Types that are much shorter when compressed. An event stream would be held back until there is enough of it. */
const gains =
  /^(?:text\/(?!event-stream)[^;]*|application\/(?:json|javascript|xml|x-ndjson|wasm|[a-z0-9.-]+\+(?:json|xml))|image\/(?:svg\+xml|bmp))$/
/** Fields that say something of the bytes as they are. */
const ofTheBytes = new Set([
  'content-encoding',
  'content-range',
  'digest',
  'content-digest',
  'repr-digest',
  'content-md5',
])

/** What decides, gathered in one pass over a reply's fields. */
interface Found {
  type: string | undefined
  length: number | undefined
  untouchable: boolean
}

/** Makes what stands around a route. */
export function openCompress({ codings, minBytes, types }: Required<CompressOptions>): Advice {
  const extra = new Set(types)
  const suits = (response: HttpResponse, found: Found) =>
    !found.untouchable &&
    found.type !== undefined &&
    (gains.test(found.type) || extra.has(found.type)) &&
    response.status !== 206 &&
    (sizeOf(response, found) ?? minBytes) >= minBytes

  return async (request, next) => {
    const response = await next(request)
    if (response.body === undefined) return response.status === 304 ? varying(response) : response
    const found = look(response.headers)
    if (!suits(response, found)) return response
    const varied = varying(response)
    if (/no-transform/i.test(request.headers.get('cache-control') ?? '')) return varied
    const coding = preferredCoding(request.headers.get('accept-encoding'), codings)
    if (coding === undefined || request.http.method === 'HEAD') return varied
    return await encoded(varied, response.body, coding)
  }
}

function look(headers: HeaderFields): Found {
  const found: Found = { type: undefined, length: undefined, untouchable: false }
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (lower === 'content-type') found.type = value.replace(/[\t ]*;.*$/, '').toLowerCase()
    else if (lower === 'content-length') found.length = Number(value)
    else if (ofTheBytes.has(lower)) found.untouchable = true
    else if (lower === 'cache-control' && /no-transform/i.test(value)) found.untouchable = true
  }
  return found
}

function sizeOf({ body }: HttpResponse, { length }: Found): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.length : length
}

/** Says that another client may get other bytes. */
function varying(response: HttpResponse): HttpResponse {
  const said = response.headers.filter(([name]) => name.toLowerCase() === 'vary').map(([, value]) => value)
  if (said.some((value) => /(?:^|,)[\t ]*(?:\*|accept-encoding)[\t ]*(?:,|$)/i.test(value))) return response
  return { ...response, headers: [...response.headers, ['Vary', 'Accept-Encoding']] }
}

async function encoded(
  { status, headers }: HttpResponse,
  body: NonNullable<HttpResponse['body']>,
  coding: ContentCoding,
): Promise<HttpResponse> {
  const fields = [...encodedFields(headers), ['Content-Encoding', coding] as const]
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return { status, headers: fields, body: encodeStream(body, coding) }
  }
  const plain = typeof body === 'string' ? Buffer.from(body) : body
  const bytes = await encodeWhole(plain, coding)
  return bytes.length < plain.length ? { status, headers: fields, body: bytes } : { status, headers, body: plain }
}

/** Of other bytes than those that were described: no length, no ranges, and equal only in meaning (RFC 9110, 8.8.1). */
function encodedFields(headers: HeaderFields): HeaderFields {
  return headers.flatMap((field): HeaderFields => {
    const [name, value] = field
    const lower = name.toLowerCase()
    if (lower === 'content-length' || lower === 'accept-ranges') return []
    return lower === 'etag' && value.startsWith('"') ? [[name, `W/${value}`]] : [field]
  })
}

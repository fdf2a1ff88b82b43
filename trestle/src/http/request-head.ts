import type { ClientRequest } from './message.ts'

/** The engine's own. */
const framing = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade', 'te'])
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/
/** RFC 9110 gives their content a meaning: without one they say so. */
const expectsBody = new Set(['POST', 'PUT', 'PATCH'])

/** How the body of a request is framed. */
export interface RequestHead {
  readonly text: string
  /** Bytes that must follow; `undefined`: chunks. */
  readonly length: number | undefined
}

/** Writes the head of a request. @throws TypeError for what would not be exactly this one request */
export function requestHead({ method, origin, target, headers, body }: ClientRequest): RequestHead {
  if (!token.test(method)) throw new TypeError(`${JSON.stringify(method)} is no method`)
  if (!/^[/*][\x21-\x7e]*$/.test(target)) throw new TypeError(`${JSON.stringify(target)} is no target of a request`)
  let fields = ''
  let host = `host: ${origin.slice(origin.indexOf('//') + 2)}\r\n`
  let declared: string | undefined
  for (const [name, value] of headers) {
    if (!token.test(name)) throw new TypeError(`${JSON.stringify(name)} is no header name`)
    if (forbiddenInValue.test(value)) throw new TypeError(`The header ${name} has a character that is not allowed`)
    const lower = name.toLowerCase()
    if (lower === 'host') host = `host: ${value}\r\n`
    else if (lower === 'content-length') declared = value
    else if (!framing.has(lower)) fields += `${name}: ${value}\r\n`
  }
  const length = lengthOf(body, declared)
  return { text: `${method} ${target} HTTP/1.1\r\n${host}${fields}${framingOf(method, body, length)}\r\n`, length }
}

function lengthOf(body: ClientRequest['body'], declared: string | undefined): number | undefined {
  if (body === undefined) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  return declared !== undefined && /^[0-9]{1,15}$/.test(declared) ? Number(declared) : undefined
}

function framingOf(method: string, body: ClientRequest['body'], length: number | undefined): string {
  if (length === undefined) return 'transfer-encoding: chunked\r\n'
  return length === 0 && body === undefined && !expectsBody.has(method) ? '' : `content-length: ${length}\r\n`
}

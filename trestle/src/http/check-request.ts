import type { IncomingMessage } from 'node:http'
import type { HttpLimits } from './message.ts'
import type { Refusal } from './refusal.ts'

/** The head of a request as far as the checks need it. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'rawHeaders'>

const authority = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._~-]{1,255})(?::[0-9]{1,5})?$/i
const absoluteForm = /^https?:\/\/([^/?#]*)/i

const refuse = (detail: string): Refusal => ({ code: 'bad_request', detail })

function values(raw: readonly string[], name: string): string[] {
  const found: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if ((raw[i] as string).length === name.length && (raw[i] as string).toLowerCase() === name) {
      found.push(raw[i + 1] as string)
    }
  }
  return found
}

function checkSizes({ method, url, rawHeaders }: RequestHead, limits: Required<HttpLimits>): Refusal | undefined {
  const line = (method ?? '').length + (url ?? '').length + ' '.length + ' HTTP/1.1\r\n'.length
  if (line > limits.requestLineMaxBytes) {
    return { code: 'uri_too_long', detail: `The request line has more than ${limits.requestLineMaxBytes} bytes` }
  }
  if (rawHeaders.length > 2 * limits.headersMaxCount) {
    return { code: 'headers_too_large', detail: `The request has more than ${limits.headersMaxCount} header fields` }
  }
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length + 2
  if (bytes > limits.headersMaxBytes) {
    return { code: 'headers_too_large', detail: `The header block has more than ${limits.headersMaxBytes} bytes` }
  }
  return undefined
}

function checkFraming({ httpVersion, rawHeaders }: RequestHead): Refusal | undefined {
  const encodings = values(rawHeaders, 'transfer-encoding')
  const lengths = values(rawHeaders, 'content-length')
  if (lengths.length > 1) return refuse('Content-Length is repeated')
  if (lengths[0] !== undefined && !/^[0-9]{1,15}$/.test(lengths[0])) return refuse('Content-Length is not a number')
  if (encodings.length === 0) return undefined
  if (lengths.length > 0) return refuse('Content-Length beside Transfer-Encoding')
  if (httpVersion === '1.0') return refuse('Transfer-Encoding in HTTP/1.0')
  if (encodings.length > 1 || encodings[0]?.toLowerCase() !== 'chunked') {
    return refuse('Transfer-Encoding is something else than one "chunked"')
  }
  return undefined
}

function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:(?:80|443)?$/, '')
}

function sameAuthority(a: string, b: string): boolean {
  return withoutDefaultPort(a) === withoutDefaultPort(b)
}

function checkHost({ httpVersion, url, rawHeaders }: RequestHead): Refusal | undefined {
  const hosts = values(rawHeaders, 'host')
  if (hosts.length > 1) return refuse('Host is repeated')
  const host = hosts[0]
  if (host === undefined && httpVersion !== '1.0') return refuse('Host is missing')
  if (host !== undefined && !authority.test(host)) return refuse('Host is not a host name with an optional port')
  const absolute = absoluteForm.exec(url ?? '')?.[1]
  if (absolute === undefined) return undefined
  if (!authority.test(absolute)) return refuse('The target names no valid host')
  if (host !== undefined && !sameAuthority(host, absolute)) return refuse('Host is not the host of the target')
  return undefined
}

function checkTarget({ method, url = '' }: RequestHead): Refusal | undefined {
  if (url.includes('#')) return refuse('The target has a fragment')
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[^\x21-\x7e]/.test(url)) return refuse('The target has a character that needs to be percent-encoded')
  if (url.startsWith('/') || absoluteForm.test(url) || (url === '*' && method === 'OPTIONS')) return undefined
  return refuse('The target is neither a path nor an absolute http address')
}

/**
 * What is wrong with a request's head beyond what the parser refuses, or `undefined`.
 * Source: RFC 9112 sections 3.2, 3.3 and 6; http.md lists where we are stricter.
 */
export function checkRequest(head: RequestHead, limits: Required<HttpLimits>): Refusal | undefined {
  if (head.httpVersion !== '1.1' && head.httpVersion !== '1.0') {
    return { code: 'version_not_supported', detail: 'Only HTTP/1.1 and HTTP/1.0 are spoken here' }
  }
  return checkSizes(head, limits) ?? checkFraming(head) ?? checkTarget(head) ?? checkHost(head)
}

import type { CustomFetch } from 'openid-client'
import type { GuardedHttp } from '../../http/guarded-http.ts'

const withoutBody = new Set([204, 205, 304])

/** Our own HTTP in the form in which the library for OpenID Connect asks: it reaches issuers through nothing else. */
export function issuerFetch(http: GuardedHttp): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const {
      status,
      headers: fields,
      body: bytes,
    } = await http.request({
      url,
      method,
      headers: Object.entries(headers),
      ...(body === null || body === undefined ? {} : { body: textOf(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const kept = [...fields.entries()].map(([name, value]): [string, string] => [name, value])
    return new Response(withoutBody.has(status) ? null : Buffer.from(bytes), { status, headers: kept })
  }
}

/** The library sends forms and JSON, never bytes. */
function textOf(body: unknown): string {
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString()
  throw new TypeError('A request to an issuer has a body that is no text')
}

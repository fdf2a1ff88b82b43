import { STATUS_CODES } from './node-http.ts'
import { type PlatformCode, platformErrors } from '../contract/platform-errors.ts'
import type { HeaderFields, HttpResponse, OnRefusal } from './message.ts'

/** A reply that the engine gives by itself. Source: RFC 9457. */
export interface Refusal {
  readonly code: PlatformCode
  readonly detail: string
}

function body({ code, detail }: Refusal): string {
  const { status, title } = platformErrors[code]
  return JSON.stringify({ type: `urn:trestle:error:${code}`, title, status, detail, code })
}

/** Tells of the refusal; what the reply says besides. */
export function announce(onRefusal: OnRefusal, { code }: Refusal, remoteAddress: string | undefined): HeaderFields {
  return onRefusal({ code, status: platformErrors[code].status, remoteAddress: remoteAddress ?? '' })
}

/** The refusal as a reply. */
export function refusalResponse(refusal: Refusal, more: HeaderFields = []): HttpResponse {
  return {
    status: platformErrors[refusal.code].status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['X-Content-Type-Options', 'nosniff'],
      ...(refusal.code === 'overloaded' ? ([['Retry-After', '1']] as const) : []),
      ...more,
    ],
    body: body(refusal),
  }
}

/** The refusal as bytes for a connection that has no request to answer: its last words. */
export function refusalBytes(refusal: Refusal, more: HeaderFields = [], now: Date = new Date()): string {
  const { status, headers, body: text } = refusalResponse(refusal, more)
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nDate: ${now.toUTCString()}\r\n${fields}` +
    `Content-Length: ${Buffer.byteLength(text as string)}\r\nConnection: close\r\n\r\n${text as string}`
  )
}

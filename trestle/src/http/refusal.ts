import { STATUS_CODES } from 'node:http'
import { type PlatformCode, platformErrors } from '../contract/platform-errors.ts'
import type { HttpResponse } from './message.ts'

/** A reply that the engine gives by itself. Source: RFC 9457. */
export interface Refusal {
  readonly code: PlatformCode
  readonly detail: string
}

function body({ code, detail }: Refusal): string {
  const { status, title } = platformErrors[code]
  return JSON.stringify({ type: `urn:trestle:error:${code}`, title, status, detail, code })
}

/** The refusal as a reply. */
export function refusalResponse(refusal: Refusal): HttpResponse {
  return {
    status: platformErrors[refusal.code].status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['X-Content-Type-Options', 'nosniff'],
      ...(refusal.code === 'overloaded' ? ([['Retry-After', '1']] as const) : []),
    ],
    body: body(refusal),
  }
}

/** The refusal as bytes for a connection that has no request to answer: its last words. */
export function refusalBytes(refusal: Refusal, now: Date = new Date()): string {
  const { status, headers, body: text } = refusalResponse(refusal)
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nDate: ${now.toUTCString()}\r\n${fields}` +
    `Content-Length: ${Buffer.byteLength(text as string)}\r\nConnection: close\r\n\r\n${text as string}`
  )
}

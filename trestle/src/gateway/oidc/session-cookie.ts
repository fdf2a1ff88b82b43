import { cookieOf } from '../authentication/hidden-cookies.ts'
import type { Headers } from '../../http/message.ts'
import type { LoginSpec } from './oidc.ts'

type CookieSpec = Pick<LoginSpec, 'cookieName' | 'origin'>

/** Where a browser sees the gateway. The front door has removed what no trusted proxy said, and put these there. */
export function originSeen({ origin }: CookieSpec, headers: Headers): string {
  return (
    origin ?? `${headers.get('x-forwarded-proto') ?? 'http'}://${headers.get('x-forwarded-host') ?? ''}`.toLowerCase()
  )
}

/** Over HTTPS with the prefix by which a browser takes the cookie from no other host. Source: RFC 6265bis section 4.1.3. */
export function sessionCookie({ cookieName }: CookieSpec, origin: string): string {
  return origin.startsWith('https:') ? `__Host-${cookieName}` : cookieName
}

export function loginCookie(spec: CookieSpec, origin: string): string {
  return `${sessionCookie(spec, origin)}-login`
}

/** Every name that a cookie of this log-in can have. */
export function cookieNames({ cookieName }: CookieSpec): readonly string[] {
  return ['https:', 'http:'].flatMap((origin) => [
    sessionCookie({ cookieName, origin }, origin),
    loginCookie({ cookieName, origin }, origin),
  ])
}

/** The session of a request; none beside an `Authorization`, which says by itself who asks. */
export function findSession(spec: CookieSpec, headers: Headers): string | undefined {
  if (!headers.has('cookie') || headers.has('authorization')) return undefined
  return cookieOf(headers, sessionCookie(spec, originSeen(spec, headers)))
}

/** `Set-Cookie`; an empty value with no age takes the cookie away. */
export function setCookie(name: string, value: string, maxAgeMs: number): readonly [string, string] {
  const secure = name.startsWith('__Host-') ? '; Secure' : ''
  const age = Math.max(0, Math.floor(maxAgeMs / 1_000))
  return ['Set-Cookie', `${name}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`]
}

import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { IssuerUnavailable } from '../authentication/issuer-http.ts'
import { HttpError } from '../../http/message.ts'

const reasonMaxLength = 300

/** Whether an issuer said nothing, or that it is not well: not that it said no, or something that does not hold. */
export function isIssuerUnavailable(error: unknown): boolean {
  if (error instanceof IssuerUnavailable) return true
  if (error instanceof AuthorizationResponseError) return unwell(error.error)
  if (error instanceof ResponseBodyError) return unwell(error.error) || error.status >= 500
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof HttpError || (at.cause instanceof Response && at.cause.status >= 500)) return true
    if (at.name === 'TimeoutError' || at.name === 'AbortError') return true
  }
  return false
}

function unwell(code: string): boolean {
  return code === 'server_error' || code === 'temporarily_unavailable'
}

/** For the log: what went wrong, link by link. Causes themselves are not logged: they may hold what the issuer sent. */
export function reasonOf(error: unknown): string {
  const reasons: string[] = []
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const told = at instanceof ResponseBodyError || at instanceof AuthorizationResponseError ? ` (${at.error})` : ''
    reasons.push(`${at.message}${told}`.slice(0, reasonMaxLength))
  }
  return [...new Set(reasons)].join(': ')
}

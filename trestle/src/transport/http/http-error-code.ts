import type { PlatformCode } from '../../contract/platform-errors.ts'
import type { HttpErrorCode } from '../../http/message.ts'

/** What a failure of the HTTP client says about the call. */
const codes: Readonly<Partial<Record<HttpErrorCode, PlatformCode>>> = {
  connect_failed: 'unavailable',
  untrusted: 'unavailable',
  overloaded: 'overloaded',
  reset: 'outcome_unknown',
  timeout: 'deadline_exceeded',
  bad_response: 'bad_reply',
  body_too_large: 'bad_reply',
  body_timeout: 'outcome_unknown',
  aborted: 'cancelled',
}

export function codeOfHttpError(error: unknown): PlatformCode {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return (Object.hasOwn(codes, String(code)) ? codes[code as HttpErrorCode] : undefined) ?? 'internal'
}

import { HttpError } from './message.ts'

/** What Node's TLS says of a certificate that it does not take. */
const certificate =
  /^(?:ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/

/** Why no connection was made: whoever gets one of these knows that nothing was sent. */
export function connectError(error: Error): HttpError {
  if (error instanceof HttpError) return error
  const code = 'code' in error ? String(error.code) : ''
  return new HttpError(certificate.test(code) ? 'untrusted' : 'connect_failed', error.message || code, { cause: error })
}

import { HttpError } from './message.ts'

/** Errors of the connecting phase: whoever gets one of these knows that nothing was sent. */
const whileConnecting = new WeakSet<object>()
/** Errors of a socket that had brought a reply before. */
const afterReuse = new WeakSet<object>()

export function markConnectError(error: Error): void {
  whileConnecting.add(error)
}

export function markReuse(error: Error): void {
  afterReuse.add(error)
}

interface EngineError extends Error {
  readonly code?: string
  readonly socket?: { readonly bytesRead?: number }
}

/** What Node's TLS says of a certificate that it does not take. */
const certificate =
  /^(?:ERR_TLS_CERT_|CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/

const invalidReplies = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'])

/** Whether a connection broke that had served before: perhaps the other side closed it while it was idle. */
export function brokeAfterReuse(error: unknown): boolean {
  const { socket } = error as EngineError
  return afterReuse.has(error as object) || (socket?.bytesRead ?? 0) > 0
}

/** What the engine threw, as one of our codes; the caller's own mistakes stay what they are. */
export function toHttpError(error: unknown): unknown {
  if (error instanceof HttpError || !(error instanceof Error)) return error
  const { code = '', message, name } = error as EngineError
  const as = (ours: ConstructorParameters<typeof HttpError>[0]) => new HttpError(ours, message, { cause: error })
  if (whileConnecting.has(error)) return as(certificate.test(code) ? 'untrusted' : 'connect_failed')
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return error
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return as('timeout')
  if (code === 'UND_ERR_BODY_TIMEOUT') return as('body_timeout')
  if (code === 'UND_ERR_ABORTED' || name === 'AbortError') return as('aborted')
  if (code.startsWith('HPE_') || name === 'HTTPParserError' || invalidReplies.has(code)) return as('bad_response')
  return as('reset')
}

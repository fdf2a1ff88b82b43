import { StoreError } from '../store-error.ts'

/** PostgreSQL's error code, or the operating system's. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

/** A five-character SQLSTATE: the server answered, so the connection stood when it did. */
export function isFromServer(error: unknown): boolean {
  return (error as { severity?: unknown } | null)?.severity !== undefined
}

/**
 * Keeps what the server tells of the values in a row (`Failing row contains (...)`) out of logs, which write the fields of
 * an error that can be listed. Who asks for `detail` still gets it.
 */
export function hideRowData(error: unknown): void {
  const detail = (error as { detail?: unknown } | null)?.detail
  if (typeof detail === 'string') Object.defineProperty(error, 'detail', { value: detail, enumerable: false })
}

const goingAway = new Set(['57P01', '57P02', '57P03', '57P05'])

/** The server ended the session: nothing more comes over this connection. */
export function endsSession(error: unknown): boolean {
  const severity = (error as { severity?: unknown } | null)?.severity
  return severity === 'FATAL' || severity === 'PANIC' || goingAway.has(codeOf(error) ?? '')
}

/**
 * Says of a server that answers and cannot work that it is away: its disk is full, it has no memory, cannot read or write, or
 * may only read since another one took over. The statement is not to blame, and has had no effect. Other errors stay as they are.
 */
export function unavailableIfIll(error: unknown): unknown {
  if (!/^(?:53[12]00|58...|25006)$/.test(codeOf(error) ?? '')) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StoreError('unavailable', `The database cannot work: ${reason}`, { cause: error })
}

/** The transaction lost against another one and was rolled back: the same work may succeed when it runs again. */
export function lostAgainstOthers(error: unknown): boolean {
  const code = codeOf(error)
  return code === '40001' || code === '40P01'
}

/** The server no longer knows the statement by its name, or its columns have changed. */
export function preparedFormIsStale(error: unknown): boolean {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : ''
  return code === '26000' || (code === '0A000' && message.includes('cached plan'))
}

/** Why no connection could be opened. Nothing was sent, so nothing was processed. */
export function connectFailure(error: unknown): StoreError {
  const code = codeOf(error)
  const full = code === '53300'
  const reason = error instanceof Error ? error.message : String(error)
  return new StoreError(
    full ? 'overloaded' : 'unavailable',
    full ? `The database server accepts no more connections: ${reason}` : `The database cannot be reached: ${reason}`,
    { cause: error },
  )
}

/** Whether `error` says that a unique constraint (that of the given name, if given) refused a row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (codeOf(error) !== '23505') return false
  return constraint === undefined || (error as { constraint?: unknown }).constraint === constraint
}

/** Why a signal of ours aborts: the names are those of the platform's own `AbortSignal.timeout` and `abort()`. */
export function deadlinePassed(): DOMException {
  return new DOMException('The deadline passed', 'TimeoutError')
}

/** The caller does not want the answer any more. */
export function cancelledByCaller(): DOMException {
  return new DOMException('The caller went away', 'AbortError')
}

/** The problem code that says why a signal aborted. */
export function codeOfAbort(reason: unknown): 'deadline_exceeded' | 'cancelled' {
  const timedOut = typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError'
  return timedOut ? 'deadline_exceeded' : 'cancelled'
}

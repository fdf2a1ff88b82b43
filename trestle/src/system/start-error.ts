import { inspect } from 'node:util'

/** Why a system did not start. The message is one line for people; `cause` has the rest. */
export class StartError extends Error {
  readonly code: StartErrorCode
  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.code = code
  }
}

/** Why a system did not start; each has its row in docs/errors.md. */
export type StartErrorCode =
  /** The system file cannot be imported, or is wrong. */
  | 'system_invalid'
  /** Another process listens there. */
  | 'port_in_use'
  /** The data directory is used by a running system. */
  | 'already_running'
  /** The data directory cannot be made or written. */
  | 'data_dir_unusable'
  /** A service could not load, migrate or start: the message names it and the cause. */
  | 'service_failed'
  /** The database server did not start or cannot be reached. */
  | 'store_failed'

/** What anything that was thrown says, on one line for people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : inspect(thrown)
}

import { exitCodes } from './exit-codes.ts'

/** The command line's own errors and the exit status of each; docs/errors.md is held equal. */
export const cliErrors = {
  usage: exitCodes.usage,
  setting_invalid: exitCodes.usage,
  system_not_found: exitCodes.usage,
  topology_unknown: exitCodes.usage,
  service_unknown: exitCodes.usage,
  operation_unknown: exitCodes.usage,
  input_unreadable: exitCodes.usage,
  folder_not_empty: exitCodes.usage,
  not_running: exitCodes.notRunning,
} as const satisfies Record<string, number>

export type CliErrorCode = keyof typeof cliErrors

/** Ends a command with one clear line, what to do about it, and an exit status. */
export class CliError extends Error {
  readonly code: CliErrorCode
  /** One sentence that says what to do. */
  readonly remedy: string | undefined

  constructor(code: CliErrorCode, message: string, options: ErrorOptions & { readonly remedy?: string } = {}) {
    super(message, options)
    this.name = 'CliError'
    this.code = code
    this.remedy = options.remedy
  }
}

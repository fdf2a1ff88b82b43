/** What the program's exit status says. Documented in docs/reference/cli.md. */
export const exitCodes = {
  ok: 0,
  /** It was tried and it failed. */
  failed: 1,
  /** The command line or a setting is wrong: nothing was tried. */
  usage: 2,
  /** The command needs a running system and there is none. */
  notRunning: 3,
  /** The system runs already. */
  alreadyRunning: 4,
  /** A service answered with a problem. */
  problem: 5,
} as const

/** Exit statuses of errors that are not the command line's own, by their code; any other code is `failed`. */
const foreign: Readonly<Record<string, number>> = {
  already_running: exitCodes.alreadyRunning,
  not_running: exitCodes.notRunning,
  unknown_service: exitCodes.usage,
  invalid_replicas: exitCodes.usage,
}

/** The exit status of an error that has a `code`. */
export function exitStatusOf(code: string, own: Readonly<Record<string, number>>): number {
  return own[code] ?? foreign[code] ?? exitCodes.failed
}

import type { CallError } from '../call/call-error.ts'
import { exitCodes } from './exit-codes.ts'
import { Finished } from './finished.ts'
import type { CliIo } from './io.ts'
import type { RunningSystem } from './running-system.ts'

/** What `.try(...)` answers. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Pick<CallError, 'problem'> }

/** Asks the running system for something; a problem ends the command, said in one line. */
export async function askRunning<T>(
  io: CliIo,
  system: string | undefined,
  ask: (running: RunningSystem) => Promise<Outcome<T>>,
): Promise<T> {
  const { withRunningSystem } = await import('./running-system.ts')
  const outcome = await withRunningSystem(io, system, ask)
  if (outcome.ok) return outcome.value
  const { code, title, detail, errors } = outcome.error.problem
  const faults = (errors ?? []).map((fault) => `  ${fault.pointer || '/'} ${fault.detail}\n`).join('')
  io.err(`${io.colors.red(code)}: ${title}${detail === undefined ? '' : `. ${detail}`}\n${faults}`)
  throw new Finished(exitCodes.problem)
}

import { askRunning, type Outcome } from './ask-running.ts'
import type { CliIo } from './io.ts'
import type { RunningSystem } from './running-system.ts'

/** Asks the running system for something about keys, plans or usage; a problem ends the command, said in one line. */
export function askAccess<T>(
  io: CliIo,
  system: string | undefined,
  ask: (access: RunningSystem['access']) => Promise<Outcome<T>>,
): Promise<T> {
  return askRunning(io, system, ({ access }) => ask(access))
}

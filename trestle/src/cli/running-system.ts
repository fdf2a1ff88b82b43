import type { Operator } from '../call/operator.ts'
import { contextFor, type CommandContext } from './context.ts'
import type { CliIo } from './io.ts'

/** A system that runs, as its operator sees it over the admin listener. */
export interface RunningSystem {
  readonly operator: Operator
  readonly context: CommandContext
}

/**
 * Connects to the running system that a command is about, lets `use` work with it, and disconnects.
 * @throws CliError `not_running`
 */
export async function withRunningSystem<T>(
  io: CliIo,
  system: string | undefined,
  use: (running: RunningSystem) => Promise<T>,
): Promise<T> {
  const context = contextFor(io, system)
  throw new Error(`not wired yet: ${context.found.file} ${String(use)}`)
}

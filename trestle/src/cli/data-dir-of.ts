import type { CommandContext } from './context.ts'
import type { CliIo } from './io.ts'
import { settingsOf } from './settings-of.ts'

/** Where the data of a running system lie. */
export async function dataDirOf(io: CliIo, context: CommandContext): Promise<string> {
  return (await settingsOf(io, context)).dataDir.value
}

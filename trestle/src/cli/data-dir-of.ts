import type { CommandContext } from './context.ts'
import { isGatewayFile } from './find-system.ts'
import type { CliIo } from './io.ts'

/** Where the data of a running system lie: as the environment says, else as the file of a gateway says, else the default. */
export async function dataDirOf(io: CliIo, { found, settings }: CommandContext): Promise<string> {
  const { dataDir } = settings
  if (dataDir.from === 'environment' || !isGatewayFile(found.file)) return dataDir.value
  const { configuredDataDir } = await import('../gateway/config/load-config.ts')
  return configuredDataDir(found.file, io.env) ?? dataDir.value
}

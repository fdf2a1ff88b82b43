import type { CommandContext } from './context.ts'
import { isGatewayFile } from './find-system.ts'
import type { CliIo } from './io.ts'
import type { Setting, Settings } from './settings.ts'

/** The settings that hold: as the environment says, else as the file of a gateway says, else the defaults. */
export async function settingsOf(io: CliIo, { found, settings }: CommandContext): Promise<Settings> {
  if (!isGatewayFile(found.file)) return settings
  const { configuredSettings } = await import('../gateway/config/load-config.ts')
  const file = configuredSettings(found.file, io.env)
  const { gatewayPort, adminPort, dataDir, postgresUrl } = settings
  return {
    ...settings,
    gatewayPort: unlessSaid(gatewayPort, file.port),
    adminPort: unlessSaid(adminPort, file.adminPort),
    dataDir: unlessSaid(dataDir, file.dataDir),
    postgresUrl: unlessSaid(postgresUrl, file.postgresUrl),
  }
}

function unlessSaid<T>(setting: Setting<T>, value: T | undefined): Setting<T> {
  return setting.from === 'environment' || value === undefined ? setting : { ...setting, value, from: 'its file' }
}

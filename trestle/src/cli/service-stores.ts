import { chooseProvider } from '../store/choose-provider.ts'
import type { StoreConnection, StoreSpec } from '../store/index.ts'
import { loadServices } from '../system/host/load-services.ts'
import { CliError } from './cli-error.ts'
import type { CommandContext } from './context.ts'
import type { CliIo } from './io.ts'
import { startProgress } from './progress.ts'
import { systemOf } from './system-contracts.ts'

/** A service that has a store, and how to reach it. */
export interface ServiceStore {
  readonly service: string
  readonly spec: StoreSpec<unknown>
  readonly connection: () => Promise<StoreConnection>
}

/**
 * Lets `use` work with the stores of a system: on the server that the settings name, else on the embedded one, which is
 * joined where it runs and otherwise runs for as long as this takes.
 * @throws StartError `system_invalid`, `service_failed`; StoreError
 */
export async function withServiceStores<T>(
  io: CliIo,
  { found, settings }: CommandContext,
  use: (stores: readonly ServiceStore[]) => Promise<T>,
): Promise<T> {
  const system = await systemOf(found.file)
  const loaded = await loadServices(system.services)
  const specs = loaded.flatMap(({ placed, definition: { store } }) =>
    store === undefined ? [] : [{ service: placed.name, spec: store, poolMax: 2 }],
  )
  const progress = startProgress(io)
  const provider = await chooseProvider({
    services: specs.map(({ service }) => service),
    env: io.env,
    dataDir: settings.dataDir.value,
    mode: 'join',
    progress: (message) => progress.step(message),
  }).finally(() => progress.stop())
  try {
    return await use(
      specs.map(({ service, spec, poolMax }) => ({
        service,
        spec,
        connection: () => provider.connectionFor(service, { poolMax }),
      })),
    )
  } finally {
    await provider.close()
  }
}

/** @throws CliError `service_unknown` that lists those with a store */
export function storeOf(stores: readonly ServiceStore[], service: string): ServiceStore {
  const found = stores.find((one) => one.service === service)
  if (found !== undefined) return found
  throw new CliError('service_unknown', `there is no service ${service} with a store`, {
    remedy: `Services with a store: ${stores.map((one) => one.service).join(', ') || 'none'}`,
  })
}

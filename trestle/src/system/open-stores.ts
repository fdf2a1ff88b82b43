import { embeddedPostgres, serverPostgres, type StoreProvider } from '../store/index.ts'
import type { Log } from '../service/service.ts'
import { StartError } from './start-error.ts'

export interface StoreSettings {
  readonly dataDir: string
  /** One server for all services; wins over the embedded one. */
  readonly postgresUrl?: string | undefined
  /** Service -> its own database, made by somebody else; wins over `postgresUrl`. */
  readonly storeUrls?: ReadonlyMap<string, string> | undefined
  readonly log: Log
  readonly progress: (message: string) => void
}

/**
 * Where the databases are: on the servers that the settings name, else on the embedded one.
 * @throws StartError `store_failed` or `already_running`
 */
export async function openStores(settings: StoreSettings): Promise<StoreProvider> {
  const { dataDir, postgresUrl, storeUrls, log, progress } = settings
  try {
    if (postgresUrl !== undefined || (storeUrls?.size ?? 0) > 0) {
      return await serverPostgres({
        ...(postgresUrl === undefined ? {} : { url: postgresUrl }),
        ...(storeUrls === undefined ? {} : { services: Object.fromEntries(storeUrls) }),
      })
    }
    return await embeddedPostgres({ dataDir, log, progress })
  } catch (cause) {
    throw storeFailed(cause)
  }
}

export function storeFailed(cause: unknown): StartError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const running = cause instanceof Error && 'code' in cause && cause.code === 'already_running'
  return new StartError(running ? 'already_running' : 'store_failed', message, { cause })
}

import type { Clock } from '../std/clock.ts'
import { type EmbeddedProvider, embeddedPostgres } from './embedded/embedded-postgres.ts'
import { connectEmbedded } from './embedded/connect-embedded.ts'
import type { ConnectionOptions, StoreLog, StoreProvider } from './provider.ts'
import { serverPostgres } from './server/server-postgres.ts'
import { serviceUrls } from './server/service-urls.ts'

export interface ChooseProviderOptions {
  /** Names of the services that have a store. */
  readonly services: readonly string[]
  /** `TRESTLE_POSTGRES_URL`, `TRESTLE_STORE_<SERVICE>_URL`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the embedded server keeps its data when no other is named. */
  readonly dataDir: string
  /** `own`: be the one that runs the embedded server. `join`: use the one that runs, or run it for the time being. */
  readonly mode: 'own' | 'join'
  readonly log?: StoreLog
  readonly clock?: Clock
  /** See `EmbeddedOptions`. */
  readonly connectionsMax?: number
  readonly progress?: (message: string) => void
}

export interface ChosenProvider extends StoreProvider {
  /** The embedded server, when it is the one that is used and this process owns it. */
  readonly embedded: EmbeddedProvider | undefined
}

/**
 * The databases that the environment names: each service's own URL first, then a server for all, then the embedded one,
 * which is not even started when every service has a URL.
 */
export async function chooseProvider(options: ChooseProviderOptions): Promise<ChosenProvider> {
  const { services, env, clock } = options
  const named = serviceUrls(env, clock)
  const ownUrls = services.filter((service) => named.has(service))
  const embedded =
    ownUrls.length < services.length && !env['TRESTLE_POSTGRES_URL'] && options.mode === 'own'
      ? await embeddedPostgres(options)
      : undefined
  const common = ownUrls.length < services.length ? (embedded ?? (await commonProvider(options))) : undefined
  return {
    embedded,
    description: [common?.description, ownUrls.length > 0 ? `${ownUrls.join(', ')} by URL` : undefined]
      .filter((part) => part !== undefined)
      .join('; '),
    connectionFor(service: string, connection?: ConnectionOptions) {
      if (named.has(service)) return named.connectionFor(service, connection)
      if (common === undefined) throw new Error(`${service} is not among the services of this provider`)
      return common.connectionFor(service, connection)
    },
    state: () => common?.state?.() ?? 'running',
    close: async () => await common?.close(),
  }
}

function commonProvider(options: ChooseProviderOptions): Promise<StoreProvider> {
  const { env, clock } = options
  const url = env['TRESTLE_POSTGRES_URL']
  return url ? serverPostgres({ url, ...(clock === undefined ? {} : { clock }) }) : connectEmbedded(options)
}

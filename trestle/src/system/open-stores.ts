import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../service/service.ts'
import { chooseProvider } from '../store/choose-provider.ts'
import type { ConnectionOptions, StoreConnection, StoreProvider } from '../store/index.ts'
import { serviceUrlVariable } from '../store/server/service-urls.ts'
import { messageOf, StartError } from './start-error.ts'

export interface StoreSettings {
  readonly dataDir: string
  /** `TRESTLE_POSTGRES_URL`, `TRESTLE_STORE_<SERVICE>_URL`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly progress: (message: string) => void
}

/** The databases of a system. A system without stores never starts a server. */
export interface Stores {
  /** Starts the server early, beside other work, when there was one the last time. */
  warmUp(services: readonly string[]): void
  /** @throws StartError `store_failed` or `already_running` */
  connectionsFor(services: readonly StoreNeed[]): Promise<Readonly<Record<string, StoreConnection>>>
  /** `undefined`: no service has needed one. */
  description(): string | undefined
  /** Tells those who want the same data directory where this system is. */
  announce(addresses: Readonly<Record<string, string>>): void
  close(): Promise<void>
}

export interface StoreNeed extends ConnectionOptions {
  readonly service: string
}

/** On the servers that the environment names, else on the embedded one. */
export function ownStores(settings: StoreSettings): Stores {
  const { dataDir } = settings
  let opening: ReturnType<typeof chooseProvider> | undefined
  let description: string | undefined
  let announced: Readonly<Record<string, string>> | undefined
  const open = (services: readonly string[]) => {
    opening ??= chooseProvider({ ...settings, services, mode: 'own' })
    opening.then(
      (opened) => {
        description = opened.description
        if (announced !== undefined) opened.embedded?.announce(announced)
        return undefined
      },
      () => {},
    )
    return opening
  }
  return {
    warmUp(services) {
      if (existsSync(join(dataDir, 'postgres'))) void open(services)
    },
    connectionsFor: (needs) => connect(needs, () => open(needs.map((need) => need.service)), settings.env),
    description: () => description,
    announce(addresses) {
      announced = addresses
      void opening?.then((opened) => opened.embedded?.announce(addresses))
    },
    async close() {
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
    },
  }
}

/** Databases that somebody else opened, and will close. */
export function givenStores(provider: StoreProvider): Stores {
  return {
    warmUp() {},
    connectionsFor: (needs) => connect(needs, async () => provider),
    description: () => provider.description,
    announce() {},
    close: async () => {},
  }
}

async function connect(
  needs: readonly StoreNeed[],
  open: () => Promise<StoreProvider>,
  env: StoreSettings['env'] = {},
) {
  if (needs.length === 0) return {}
  try {
    const provider = await open()
    const entries = needs.map(
      async ({ service, ...options }) => [service, await provider.connectionFor(service, options)] as const,
    )
    return Object.fromEntries(await Promise.all(entries))
  } catch (cause) {
    const variables = ['TRESTLE_POSTGRES_URL', ...needs.map(({ service }) => serviceUrlVariable(service))]
    throw storeFailed(
      cause,
      variables.filter((name) => env[name]),
    )
  }
}

/** @param named the variables that name a server; none: it is the embedded one */
export function storeFailed(cause: unknown, named: readonly string[]): StartError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const remedy = named.length > 0 ? `check ${named.join(' and ')}` : embeddedRemedy
  const message = code === 'unavailable' ? `${messageOf(cause)}; ${remedy}` : messageOf(cause)
  return new StartError(code === 'already_running' ? 'already_running' : 'store_failed', message, { cause })
}

const embeddedRemedy =
  'it is the embedded PostgreSQL, which runs and has not answered in time: start again when the machine is less busy'

import { type Clock, systemClock } from '../../std/clock.ts'
import type { StoreProvider } from '../provider.ts'
import { StoreError } from '../store-error.ts'
import { serverAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { type EmbeddedOptions, embeddedPostgres } from './embedded-postgres.ts'
import { keepingAlive } from './keeping-alive.ts'
import { prepareLayout } from './layout.ts'
import { Secrets } from './secrets.ts'
import { ServerAccess } from './server-access.ts'
import { settledPostmaster, sleep } from './server-process.ts'

const startingTimeoutMs = 60_000

/**
 * For commands beside the running system: uses the server that runs, and leaves it alone; where none runs, runs it until
 * `close`.
 * @throws StoreError `embedded_unavailable`, `embedded_failed`
 */
export async function connectEmbedded(options: EmbeddedOptions): Promise<StoreProvider> {
  try {
    return await embeddedPostgres(options)
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'already_running') throw error
    return await keepingAlive(() => join(options))
  }
}

async function join({ dataDir, clock = systemClock, connectionsMax = 200 }: EmbeddedOptions): Promise<StoreProvider> {
  const layout = prepareLayout(dataDir, findBinaries(), serverAccount())
  const server = await runningServer(layout.cluster, clock)
  const access = new ServerAccess(server, new Secrets(layout.home), clock, connectionsMax)
  return {
    description: `PostgreSQL 18, embedded, data in ${layout.cluster}, run by another process`,
    connectionFor: (service, connection) => access.connectionFor(service, connection),
    close: () => Promise.resolve(),
  }
}

/** The owner may be in the middle of starting it. */
async function runningServer(cluster: string, clock: Clock) {
  const giveUpAt = clock.monotonic() + startingTimeoutMs
  for (;;) {
    const found = await settledPostmaster(cluster, clock, startingTimeoutMs)
    if (found !== undefined) return found
    if (clock.monotonic() > giveUpAt) throw new StoreError('embedded_failed', `No PostgreSQL came up on ${cluster}`)
    await sleep(clock, 100)
  }
}

import { createReadStream, createWriteStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type DumpTotals, dumpStore } from '../store/dump/dump-store.ts'
import { loadStore, resetStore } from '../store/dump/load-store.ts'
import { openStore, type StoreConnection } from '../store/index.ts'
import type { CommandContext } from './context.ts'
import type { CliIo } from './io.ts'
import { type ServiceStore, storeOf, withServiceStores } from './service-stores.ts'

export interface Migrated {
  readonly service: string
  /** Files that had not run before. */
  readonly applied: readonly string[]
}

/** Applies to every database of a system what has not run there yet. */
export function migrateStores(io: CliIo, context: CommandContext): Promise<readonly Migrated[]> {
  return withServiceStores(io, context, async (stores) => {
    const done: Migrated[] = []
    for (const store of stores) done.push({ service: store.service, applied: await migrate(store) })
    return done
  })
}

async function migrate({ spec, connection }: ServiceStore): Promise<readonly string[]> {
  const store = openStore(spec, await connection())
  try {
    const { applied } = await store.migrate()
    return applied
  } finally {
    await store.close()
  }
}

/** Dumps a service's database to a file that does not exist yet, or to stdout. */
export function dumpTo(
  io: CliIo,
  context: CommandContext,
  service: string,
  file: string | undefined,
): Promise<DumpTotals> {
  return withStore(io, context, service, async (connection) => {
    const passed = new PassThrough()
    // 'wx': a dump that exists may be the only one.
    const written =
      file === undefined
        ? pipeline(passed, process.stdout, { end: false })
        : pipeline(passed, createWriteStream(file, { flags: 'wx' }))
    const dumped = dumpStore(connection, service, passed).finally(() => passed.end())
    const [totals] = await Promise.all([dumped, written])
    return totals
  })
}

/** Replaces a service's database by what a file holds. */
export function loadFrom(io: CliIo, context: CommandContext, service: string, file: string): Promise<DumpTotals> {
  return withStore(io, context, service, (connection) => loadStore(connection, createReadStream(file)))
}

/** Empties a service's database. */
export function reset(io: CliIo, context: CommandContext, service: string): Promise<void> {
  return withStore(io, context, service, resetStore)
}

/** The URL of a service's database, with its password. */
export function urlOf(io: CliIo, context: CommandContext, service: string): Promise<string> {
  return withStore(io, context, service, (connection) => Promise.resolve(connection.url))
}

function withStore<T>(
  io: CliIo,
  context: CommandContext,
  service: string,
  use: (connection: StoreConnection) => Promise<T>,
): Promise<T> {
  return withServiceStores(io, context, async (stores) => use(await storeOf(stores, service).connection()))
}

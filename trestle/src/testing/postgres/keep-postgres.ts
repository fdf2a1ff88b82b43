import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../std/clock.ts'
import { defaultLimits } from '../../store/connection/connections.ts'
import { PgConnection } from '../../store/connection/pg-connection.ts'
import { embeddedPostgres } from '../../store/embedded/embedded-postgres.ts'
import { quoteName } from '../../store/server/database-names.ts'
import { dialKeeper, socketOf } from './keeper-socket.ts'

/** Without a client for so long the server is stopped and its data deleted, milliseconds. */
const idleMs = 4_000
/** Test files of a whole run, with several systems at once: more than ever run together. */
const connectionsMax = 400

/**
 * Runs one PostgreSQL server for all test processes of one installation. It lives as long as one of them holds a connection to
 * it, however they end, and a little longer; then it takes server and data with it.
 */
export async function keepPostgres(home: string): Promise<void> {
  const listening = await listenAlone(home)
  if (listening === undefined) return
  const dataDir = await mkdtemp(join(home, 'data-'))
  // The server may run as another user, who must be able to pass through.
  await chmod(dataDir, 0o711)
  // Dropping a database waits for a checkpoint inside a transaction, which holds back every feed of the server meanwhile.
  const provider = await embeddedPostgres({ dataDir, connectionsMax, durability: 'process' })
  const url = provider.adminUrl()
  const clients = new Set<Socket>()
  let idle = setTimeout(end, idleMs)
  let work: Promise<unknown> = Promise.resolve()

  listening.accept((socket) => {
    clients.add(socket)
    clearTimeout(idle)
    const prefixes = new Set<string>()
    socket.write(`${JSON.stringify({ url })}\n`)
    createInterface(socket).on('line', (line) => {
      const { use, drop } = JSON.parse(line) as { use?: string; drop?: string }
      if (use !== undefined) prefixes.add(use)
      if (drop !== undefined) later(drop)
    })
    socket.on('close', () => {
      clients.delete(socket)
      for (const prefix of prefixes) later(prefix)
      if (clients.size === 0) idle = setTimeout(end, idleMs)
    })
  })

  /** Databases are dropped one system after the other, beside the tests. */
  function later(prefix: string): void {
    work = work.then(() => dropDatabases(url, prefix)).catch(() => {})
  }

  function end(): void {
    listening?.server.close()
    void work.then(async () => {
      await provider.close()
      await rm(dataDir, { recursive: true, force: true })
      process.exit(0)
    })
  }
}

/** `undefined`: another keeper is there. Clients that come before the server is ready wait. */
async function listenAlone(
  home: string,
): Promise<{ readonly server: Server; accept(listener: (socket: Socket) => void): void } | undefined> {
  const path = socketOf(home)
  const other = await dialKeeper(home)
  if (other !== undefined) return void other.destroy()
  await rm(path, { force: true })
  const early: Socket[] = []
  let listener: ((socket: Socket) => void) | undefined
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (listener === undefined) early.push(socket)
    else listener(socket)
  })
  const bound = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(path, () => resolve(true))
  })
  if (!bound) return undefined
  return {
    server,
    accept(next) {
      listener = next
      // One that has gone meanwhile says so to nobody: counted as a client, it would keep the server for ever.
      for (const socket of early) if (!socket.destroyed) next(socket)
    },
  }
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  const admin = await PgConnection.open({
    ...defaultLimits,
    url,
    applicationName: 'trestle keeper',
    clock: systemClock,
  })
  try {
    const like = `${prefix.replaceAll('_', String.raw`\_`)}%`
    const { rows } = await admin.command('select datname as name from pg_database where datname like $1', [like])
    for (const { name } of rows as { name: string }[]) {
      await admin.command(`drop database if exists ${quoteName(name)} with (force)`)
      await admin.command(`drop role if exists ${quoteName(name)}`)
    }
  } finally {
    await admin.end()
  }
}

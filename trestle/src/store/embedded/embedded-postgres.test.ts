import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PgConnection } from '../connection/pg-connection.ts'
import { defaultLimits } from '../connection/connections.ts'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { systemClock } from '../../std/clock.ts'
import {
  eventually,
  makeTestDir,
  recordingLog,
  type StoreFixture,
  startStoreFixture,
  writeMigrations,
} from '../fixtures/store-fixture.ts'
import { barrierTo, serverAccount } from './account.ts'
import { connectEmbedded } from './connect-embedded.ts'
import { embeddedPostgres } from './embedded-postgres.ts'
import { isAlive } from './process-identity.ts'

interface LedgerTables {
  ledger: { id: number }
}

const isRoot = process.getuid?.() === 0
const program = fileURLToPath(new URL('../fixtures/writing-process.ts', import.meta.url))
const ledgerSchema = { '0001-ledger.sql': 'create table ledger (id int primary key);' }

interface Writer {
  readonly child: ChildProcess
  readonly committed: number[]
  readonly started: Promise<{ readonly serverPid: number; readonly uid: number; readonly adopted: boolean }>
}

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function startWriter(dataDir: string, migrations: URL, firstId = 1, user: { uid?: number; gid?: number } = {}): Writer {
  const child = spawn(process.execPath, [program, dataDir, fileURLToPath(migrations), String(firstId)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...user,
  })
  children.push(child)
  const committed: number[] = []
  const started = new Promise<never>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`the writer ended with ${status}`)))
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const said = JSON.parse(line) as { committed?: number }
      if (said.committed === undefined) resolve(said as never)
      else committed.push(said.committed)
    })
  })
  started.catch(() => undefined)
  return { child, committed, started }
}

async function kill(writer: Writer): Promise<void> {
  const closed = once(writer.child, 'close')
  writer.child.kill('SIGKILL')
  await closed
}

function startLoad(store: ReturnType<typeof openStore<LedgerTables>>) {
  const committed: number[] = []
  const failures: string[] = []
  const stopping = new AbortController()
  let id = 0
  const write = async (own: number) => {
    if (own % 3 === 0) await store.db.insertInto('ledger').values({ id: own }).execute()
    else await store.transaction((tx) => tx.db.insertInto('ledger').values({ id: own }).execute())
    committed.push(own)
  }
  const work = async () => {
    while (!stopping.signal.aborted) {
      const code = await write((id += 1)).then(
        () => undefined,
        (error: { code?: string }) => String(error.code),
      )
      if (code === undefined) continue
      failures.push(code)
      // A client that is refused asks again, but not at once.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const workers = Promise.all(Array.from({ length: 8 }, work))
  return {
    committed,
    failures,
    async stop() {
      stopping.abort()
      await workers
    },
  }
}

describe('the embedded PostgreSQL', () => {
  let fixture: StoreFixture
  const log = recordingLog()
  beforeAll(async () => {
    fixture = await startStoreFixture({ log })
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  it('runs as an ordinary user, durably, with its passwords kept to its owner', async () => {
    const { uid } = statSync(`/proc/${fixture.provider.pid}`)
    expect(uid).not.toBe(0)
    expect(uid).toBe(serverAccount()?.uid)
    const home = dirname(fixture.provider.dataDir)
    expect(statSync(join(home, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(statSync(fixture.provider.address).mode & 0o777).toBe(0o700)
    const store = openStore(
      postgres({ migrations: fixture.migrations({}) }),
      await fixture.provider.connectionFor('settings'),
    )
    const { sql } = await import('kysely')
    expect((await sql`show fsync`.execute(store.db)).rows).toEqual([{ fsync: 'on' }])
    expect((await sql`show max_connections`.execute(store.db)).rows).toEqual([{ max_connections: '200' }])
    await store.close()
  })

  it('has one owner; others are told who, and may join', async () => {
    fixture.provider.announce({ gateway: 'http://127.0.0.1:4000' })
    await expect(embeddedPostgres({ dataDir: fixture.dataDir })).rejects.toMatchObject({
      code: 'already_running',
      details: { pid: process.pid, addresses: { gateway: 'http://127.0.0.1:4000' } },
    })
    const joined = await connectEmbedded({ dataDir: fixture.dataDir })
    expect(await joined.connectionFor('joined')).toEqual(await fixture.provider.connectionFor('joined'))
    await joined.close()
    expect(isAlive(fixture.provider.pid)).toBe(true)
  })

  it("keeps a service out of another's database, and of the server's own", async () => {
    const mine = new URL((await fixture.provider.connectionFor('mine')).url)
    await fixture.provider.connectionFor('yours')
    const connect = async (database: string) => {
      const url = new URL(mine)
      url.pathname = `/${database}`
      await (
        await PgConnection.open({ ...defaultLimits, url: url.href, applicationName: 'test', clock: systemClock })
      ).end()
    }
    await expect(connect('mine')).resolves.toBeUndefined()
    for (const database of ['yours', 'postgres', 'template1']) {
      await expect(connect(database)).rejects.toMatchObject({ cause: { code: '42501' } })
    }
  })

  it('refuses pools that together exceed what it accepts', async () => {
    await fixture.provider.connectionFor('large', { poolMax: 50 })
    const tooLarge = fixture.provider.connectionFor('large', { poolMax: 50, processes: () => 4 })
    await expect(tooLarge).rejects.toMatchObject({
      code: 'pools_exceed_server',
      message: expect.stringContaining('4 x 50'),
    })
    await expect(fixture.provider.connectionFor('large', { poolMax: 8 })).resolves.toBeDefined()
    await expect(fixture.provider.connectionFor('postgres')).rejects.toMatchObject({ code: 'store_config_invalid' })
  })

  it('comes back when it is killed under load: errors say what happened, nothing committed is lost', async () => {
    const store = openStore(
      postgres<LedgerTables>({ migrations: fixture.migrations(ledgerSchema) }),
      await fixture.provider.connectionFor('load'),
    )
    await store.migrate()
    const killed = fixture.provider.pid
    const load = startLoad(store)
    await eventually(() => load.committed.length > 100)
    process.kill(killed, 'SIGKILL')
    await eventually(() => fixture.provider.state() === 'running' && fixture.provider.pid !== killed)
    const before = load.committed.length
    await eventually(() => load.committed.length > before + 100)
    await load.stop()
    expect(load.failures.length).toBeGreaterThan(0)
    expect(load.failures.filter((code) => !expectedFailures.has(code))).toEqual([])
    const rows = new Set((await store.db.selectFrom('ledger').selectAll().execute()).map(({ id }) => id))
    expect(load.committed.filter((id) => !rows.has(id))).toEqual([])
    expect(log.messages).toContain('PostgreSQL runs again')
    await store.close()
  })

  const expectedFailures = new Set(['unavailable', 'outcome_unknown', 'overloaded'])
})

describe('the embedded PostgreSQL after its owner was killed', () => {
  const dir = makeTestDir()
  const dataDir = join(dir.path, 'data')
  const migrations = writeMigrations(dir.path, ledgerSchema)
  afterAll(() => dir.remove())

  async function rowsAfterRestart(): Promise<{
    readonly adopted: boolean
    readonly pid: number
    readonly ids: Set<number>
  }> {
    const provider = await embeddedPostgres({ dataDir })
    const { adopted, pid } = provider
    const store = openStore(postgres<LedgerTables>({ migrations }), await provider.connectionFor('ledger'))
    const ids = new Set((await store.db.selectFrom('ledger').select('id').execute()).map(({ id }) => id))
    await store.close()
    await provider.close()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(provider.address)).toBe(false)
    return { adopted, pid, ids }
  }

  it('is adopted by the next one, and has lost nothing', async () => {
    const writer = startWriter(dataDir, migrations)
    const { serverPid, adopted } = await writer.started
    expect(adopted).toBe(false)
    await eventually(() => writer.committed.length > 50)
    await kill(writer)
    expect(isAlive(serverPid)).toBe(true)
    const after = await rowsAfterRestart()
    expect(after).toMatchObject({ adopted: true, pid: serverPid })
    expect(writer.committed.filter((id) => !after.ids.has(id))).toEqual([])
  })

  it('is watched by the one that adopted it', async () => {
    const writer = startWriter(dataDir, migrations, 500_000)
    const { serverPid } = await writer.started
    await kill(writer)
    const provider = await embeddedPostgres({ dataDir })
    expect(provider).toMatchObject({ adopted: true, pid: serverPid })
    process.kill(serverPid, 'SIGKILL')
    await eventually(() => provider.pid !== serverPid && provider.state() === 'running')
    await provider.close()
    expect(isAlive(provider.pid)).toBe(false)
  })

  it('is started again when it was killed too', async () => {
    const writer = startWriter(dataDir, migrations, 1_000_000)
    const { serverPid } = await writer.started
    await eventually(() => writer.committed.length > 50)
    process.kill(serverPid, 'SIGKILL')
    await kill(writer)
    await eventually(() => !isAlive(serverPid))
    const after = await rowsAfterRestart()
    expect(after.adopted).toBe(false)
    expect(writer.committed.filter((id) => !after.ids.has(id))).toEqual([])
  })

  it('is started again when it dies while it is being taken over', async () => {
    const writer = startWriter(dataDir, migrations, 1_500_000)
    const { serverPid } = await writer.started
    await eventually(() => writer.committed.length > 50)
    await kill(writer)
    process.kill(serverPid, 'SIGSTOP')
    const log = recordingLog()
    const opening = embeddedPostgres({ dataDir, log })
    await eventually(() => log.messages.some((message) => message.startsWith('adopted')))
    process.kill(serverPid, 'SIGKILL')
    const provider = await opening
    expect(provider.adopted).toBe(true)
    expect(provider.pid).not.toBe(serverPid)
    await provider.close()
    const after = await rowsAfterRestart()
    expect(writer.committed.filter((id) => !after.ids.has(id))).toEqual([])
  })

  it('starts beside a stranger who has the number of the dead server', async () => {
    writeFileSync(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), `${process.pid}\n`)
    expect((await rowsAfterRestart()).ids.size).toBeGreaterThan(100)
  })
})

describe('the first start', () => {
  it('begins anew when an earlier one was cut off', async () => {
    const dir = makeTestDir()
    const home = join(dir.path, 'postgres')
    mkdirSync(join(home, 'initdb-1', 'cluster', 'base'), { recursive: true })
    writeFileSync(join(home, 'initdb-1', 'cluster', 'PG_VERSION'), '18')
    const provider = await embeddedPostgres({ dataDir: dir.path })
    expect(provider).toMatchObject({ created: true, dataDir: join(home, 'cluster') })
    expect(readdirSync(home).filter((name) => name.startsWith('initdb'))).toEqual([])
    await provider.close()
    dir.remove()
  })

  it('refuses data of another major version, and leaves them alone', async () => {
    const dir = makeTestDir()
    const cluster = join(dir.path, 'postgres', 'cluster')
    mkdirSync(cluster, { recursive: true })
    writeFileSync(join(cluster, 'PG_VERSION'), '17\n')
    await expect(embeddedPostgres({ dataDir: dir.path })).rejects.toMatchObject({
      code: 'embedded_failed',
      message: expect.stringMatching(/PostgreSQL 17.*trestle store dump/),
    })
    expect(readdirSync(cluster)).toEqual(['PG_VERSION'])
    dir.remove()
  })

  it('leaves a server down that dies too often, and says so', async () => {
    const dir = makeTestDir()
    const log = recordingLog()
    const provider = await embeddedPostgres({ dataDir: dir.path, log, restartsMax: 0 })
    process.kill(provider.pid, 'SIGKILL')
    await eventually(() => provider.state() === 'stopped')
    expect(log.messages).toEqual(['PostgreSQL ended too often and stays down'])
    await provider.destroy()
    dir.remove()
  })

  it('starts the server as soon as what kept it from starting is mended', async () => {
    const dir = makeTestDir()
    const log = recordingLog()
    const provider = await embeddedPostgres({ dataDir: dir.path, log, failedStartPauseMs: 50 })
    const [control, away] = [join(provider.dataDir, 'global', 'pg_control'), join(dir.path, 'pg_control')]
    renameSync(control, away)
    process.kill(provider.pid, 'SIGKILL')
    await eventually(() => log.messages.includes('PostgreSQL could not be started again; trying later'))
    renameSync(away, control)
    await eventually(() => provider.state() === 'running')
    expect(log.messages.at(-1)).toBe('PostgreSQL runs again')
    await provider.destroy()
    dir.remove()
  })

  const nobody = isRoot ? serverAccount() : undefined
  const readable =
    nobody !== undefined &&
    barrierTo(program, nobody) === undefined &&
    barrierTo(process.execPath, nobody) === undefined

  it.runIf(readable)('works for an ordinary user as for root', async () => {
    const dir = makeTestDir()
    const { uid = 0, gid = 0 } = nobody ?? {}
    const migrations = writeMigrations(dir.path, ledgerSchema)
    for (const path of [dir.path, fileURLToPath(migrations)]) chownSync(path, uid, gid)
    const writer = startWriter(join(dir.path, 'data'), migrations, 1, { uid, gid })
    const { serverPid } = await writer.started
    expect(statSync(`/proc/${serverPid}`).uid).toBe(uid)
    await eventually(() => writer.committed.length > 5)
    const ended = once(writer.child, 'close')
    writer.child.stdin?.end()
    expect(await ended).toEqual([0, null])
    expect(isAlive(serverPid)).toBe(false)
    dir.remove()
  })

  it.runIf(isRoot)('puts the data elsewhere, and says so, where its user may not enter', async () => {
    const dir = makeTestDir()
    chmodSync(dir.path, 0o700)
    const provider = await embeddedPostgres({ dataDir: join(dir.path, 'data') })
    try {
      expect(provider.dataDir).toMatch(/^\/var\/lib\/trestle\/[0-9a-f]{12}\/postgres\/cluster$/)
      expect(provider.moved).toEqual([expect.stringContaining(dir.path)])
      expect(readFileSync(join(provider.dataDir, 'PG_VERSION'), 'utf8').trim()).toBe('18')
      await expect(provider.connectionFor('a')).resolves.toBeDefined()
    } finally {
      await provider.destroy()
      expect(existsSync(dirname(dirname(provider.dataDir)))).toBe(false)
      dir.remove()
    }
  })
})

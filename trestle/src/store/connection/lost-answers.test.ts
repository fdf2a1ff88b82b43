import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../index.ts'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { type StoreFixture, startStoreFixture } from '../fixtures/store-fixture.ts'
import type { OpenStore } from '../store.ts'

interface Tables {
  a: { id: number }
}

type Fault = 'none' | 'before the commit reaches the server' | 'before the answer comes back'

let fixture: StoreFixture
let direct: OpenStore<Tables>
let through: OpenStore<Tables>
let proxy: Server
let fault: Fault = 'none'

/** Passes bytes between the store and the server, and cuts the line around a COMMIT. */
function relay(client: Socket): void {
  const server = connect(join(fixture.provider.address, '.s.PGSQL.5432'))
  let cutAtAnswer = false
  const cut = () => {
    client.destroy()
    server.end()
  }
  client.on('data', (bytes) => {
    const commits = bytes.includes('commit')
    if (commits && fault === 'before the commit reaches the server') return cut()
    cutAtAnswer = commits && fault === 'before the answer comes back'
    return void server.write(bytes)
  })
  server.on('data', (bytes) => (cutAtAnswer ? cut() : void client.write(bytes)))
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}

beforeAll(async () => {
  fixture = await startStoreFixture()
  proxy = createServer(relay)
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve)
  })
  const connection = await fixture.provider.connectionFor('faulty')
  const url = new URL(connection.url)
  url.host = `127.0.0.1:${(proxy.address() as { port: number }).port}`
  url.search = ''
  const spec = postgres<Tables>({
    migrations: fixture.migrations({ '0001-a.sql': 'create table a (id int primary key)' }),
  })
  direct = openStore(spec, connection)
  through = openStore(spec, { url: url.href, poolMax: 2 }, { limits: { silenceTimeoutMs: 1_000 } })
  await direct.migrate()
})
afterEach(() => {
  fault = 'none'
})
afterAll(async () => {
  await Promise.all([direct.close(), through.close()])
  proxy.close()
  await fixture[Symbol.asyncDispose]()
})

const insert = (id: number) => through.transaction((tx) => tx.db.insertInto('a').values({ id }).execute())
const has = async (id: number) =>
  (await direct.db.selectFrom('a').selectAll().where('id', '=', id).execute()).length === 1

describe('a commit whose answer is lost', () => {
  it('is unknown: it may have happened', async () => {
    await insert(1)
    fault = 'before the answer comes back'
    await expect(insert(2)).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect([await has(1), await has(2)]).toEqual([true, true])
  })

  it('is unknown: it may not have happened', async () => {
    fault = 'before the commit reaches the server'
    await expect(insert(3)).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await has(3)).toBe(false)
  })

  it('does not keep the next one from succeeding', async () => {
    await expect(insert(4)).resolves.toBeDefined()
    expect(await has(4)).toBe(true)
  })
})

describe('a server that says nothing', () => {
  it('counts as gone after the silence that is allowed', async () => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(through.db)
    const pid = rows[0]?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await expect(through.ping()).rejects.toMatchObject({ code: 'unavailable' })
      await expect(through.ping()).resolves.toBeUndefined()
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })
})

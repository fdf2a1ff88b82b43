import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeTestDir, writeMigrations } from '../../store/fixtures/store-fixture.ts'
import { type OpenStore, openStore, postgres } from '../../store/index.ts'
import type { StoreConnection } from '../../store/store.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { moves } from './fixtures/inbox-harness.ts'

interface Tables {
  seen: { subscription: string; key: string; n: number; process: string }
}

const program = fileURLToPath(new URL('./fixtures/moving-process.ts', import.meta.url))
const subscriptions = ['effect', 'many', 'one'] as const
const keys = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const within = { timeout: 60_000, interval: 25 }

const dir = makeTestDir()
let stores: Awaited<ReturnType<typeof testStores>>
let publisher: OpenStore<unknown>
let consumer: OpenStore<Tables>
let connections: readonly [StoreConnection, StoreConnection]
const replicas: ChildProcess[] = []

beforeAll(async () => {
  stores = await testStores()
  connections = [await stores.connectionFor('publisher'), await stores.connectionFor('consumer')]
  publisher = openStore(postgres<unknown>({ migrations: writeMigrations(dir.path, {}) }), connections[0])
  const seen = `create table seen (subscription text not null, key text not null, n integer not null,
    process text not null, at bigint generated always as identity)`
  const migrations = writeMigrations(dir.path, { '0001-seen.sql': seen })
  consumer = openStore(postgres<Tables>({ migrations }), connections[1])
  await Promise.all([publisher.migrate(), consumer.migrate()])
  // A replica that is stopped in a transaction holds back what is published until that ends: not for half a minute here.
  await sql`alter role current_user set transaction_timeout = '2s'`.execute(consumer.db)
}, 60_000)
afterAll(async () => {
  await Promise.all(
    replicas.map(async (replica) => {
      if (replica.exitCode !== null || replica.signalCode !== null) return
      const gone = once(replica, 'exit')
      replica.kill('SIGKILL')
      await gone
    }),
  )
  await Promise.all([publisher.close(), consumer.close()])
  await stores.close()
  dir.remove()
}, 60_000)

async function begin(name: string): Promise<ChildProcess> {
  const args = [program, connections[0].url, connections[1].url, name]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  replicas.push(child)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

let published = 0

/** One event more for each key, so many times. */
async function publish(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    published += 1
    const n = published
    await publisher.transaction(async (tx) => {
      for (const key of keys) tx.publish(moves.events.moved, { key, n })
    })
  }
}

const count = async () => {
  const { rows } = await sql<{ count: number }>`select count(*)::integer as count from seen`.execute(consumer.db)
  return rows[0]?.count ?? 0
}
const countOf = async (process: string) => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from seen where process = ${process}`.execute(consumer.db)
  return rows[0]?.count ?? 0
}
const holders = async () => {
  const { rows } = await sql<{ lease_holder: string | null }>`
    select distinct lease_holder from trestle.subscriptions`.execute(consumer.db)
  return rows.map((row) => row.lease_holder)
}

it('a replica that is stopped for longer than its lease, and goes on, loses no event, doubles none, and keeps the order', async () => {
  await begin('p1')
  expect(await holders()).toEqual(['p1'])
  await begin('p2')
  await publish(10)
  await expect.poll(count, within).toBe(published * keys.length * subscriptions.length)
  for (let round = 0; round < 3; round += 1) {
    // In the midst of it: what was read and not written, claimed and not done, is in its hands.
    const publishing = publish(30)
    const before = await count()
    await expect.poll(count, within).toBeGreaterThan(before)
    const [name, other] = (await holders()).includes('p1') ? (['p1', 'p2'] as const) : (['p2', 'p1'] as const)
    const stopped = replicas[name === 'p1' ? 0 : 1] as ChildProcess
    stopped.kill('SIGSTOP')
    await expect.poll(holders, within).toEqual([other])
    await publishing
    // The other one handles meanwhile.
    const mine = () => countOf(other)
    const handled = await mine()
    await publish(5)
    await expect.poll(mine, within).toBeGreaterThan(handled)
    stopped.kill('SIGCONT')
    await publish(5)
    await expect.poll(count, within).toBe(published * keys.length * subscriptions.length)
  }
  const { rows } = await sql<{ subscription: string; key: string; numbers: number[] }>`
    select subscription, key, array_agg(n order by at) as numbers from seen
    group by subscription, key order by subscription, key`.execute(consumer.db)
  const numbers = Array.from({ length: published }, (_, index) => index + 1)
  expect(rows).toEqual(subscriptions.flatMap((subscription) => keys.map((key) => ({ subscription, key, numbers }))))
}, 180_000)

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { contract, event } from '../../contract/index.ts'
import { type TestStores, testStores } from '../../testing/postgres/shared-postgres.ts'
import { makeTestDir, writeMigrations } from '../fixtures/store-fixture.ts'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import type { OpenStore } from '../store.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'

const Order = z.object({ id: z.string(), total: z.number().default(0), note: z.string().optional() })
const orders = contract('orders', {
  version: '1.2.0',
  operations: {},
  events: { placed: event(Order, { key: 'id' }), paid: event(Order, { key: 'id', version: 3 }) },
})

interface Tables {
  rows: { id: number }
}

const dir = makeTestDir()
let stores: TestStores
let store: OpenStore<Tables>
let databases = 0

async function openFresh(): Promise<OpenStore<Tables>> {
  const migrations = writeMigrations(dir.path, { '0001-rows.sql': 'create table rows (id int primary key)' })
  databases += 1
  const opened = openStore(postgres<Tables>({ migrations }), await stores.connectionFor(`outbox${databases}`))
  await opened.migrate()
  return opened
}

/** Everything that is in the stream, batch by batch. */
async function readAll(from: OpenStore<Tables>, max = 100, after?: EventPosition): Promise<EventEnvelope[]> {
  const events: EventEnvelope[] = []
  for (let next = after; ; ) {
    const batch = await from.feed.read({ stream: 'orders@1', after: next, max })
    events.push(...batch.events)
    if (batch.caughtUp) return events
    next = batch.next
  }
}

beforeAll(async () => {
  stores = await testStores()
  store = await openFresh()
})
afterAll(async () => {
  await store.close()
  await stores.close()
  dir.remove()
})

describe('publishing', () => {
  it('leaves with the commit, and not without it', async () => {
    await store.transaction(async (tx) => {
      await tx.db.insertInto('rows').values({ id: 1 }).execute()
      tx.publish(orders.events.placed, { id: 'a' })
    })
    const refused = store.transaction(async (tx) => {
      tx.publish(orders.events.placed, { id: 'b' })
      await tx.db.insertInto('rows').values({ id: 1 }).execute()
    })
    await expect(refused).rejects.toMatchObject({ code: '23505' })
    expect(await readAll(store)).toMatchObject([
      {
        stream: 'orders@1',
        type: 'placed',
        version: 1,
        key: 'a',
        keyVersion: 1,
        payload: '{"id":"a","total":0}',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        traceparent: expect.stringMatching(/^00-/),
      },
    ])
  })

  it('counts the versions of each key over all types, in the order of publishing', async () => {
    const fresh = await openFresh()
    await fresh.transaction((tx) => {
      for (const id of ['b', 'a', 'b', 'c', 'b']) tx.publish(orders.events.placed, { id })
      tx.publish(orders.events.paid, { id: 'a' })
      return Promise.resolve()
    })
    await fresh.transaction((tx) => Promise.resolve(tx.publish(orders.events.paid, { id: 'b' })))
    const read = await readAll(fresh, 3)
    expect(read.map(({ key, keyVersion, type }) => `${key}${keyVersion} ${type}`)).toEqual([
      'b1 placed',
      'a1 placed',
      'b2 placed',
      'c1 placed',
      'b3 placed',
      'a2 paid',
      'b4 paid',
    ])
    await fresh.close()
  })
})

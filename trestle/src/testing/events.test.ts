import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { command, contract, event } from '../contract/index.ts'
import { implement } from '../service/index.ts'
import { postgres } from '../store/index.ts'
import { writeMigrations, makeTestDir } from '../store/fixtures/store-fixture.ts'
import { startServices } from './start-services.ts'

const Order = z.object({ id: z.string(), total: z.int() })
const orders = contract('orders', {
  version: '1.0.0',
  operations: { place: command({ input: Order }) },
  events: { placed: event(Order, { key: 'id' }) },
})
const reports = contract('reports', {
  version: '1.0.0',
  operations: { add: command({ input: Order, idempotent: 'natural' }) },
})

interface Tables {
  seen: { id: string; total: number; by: string }
}

function services() {
  const dir = makeTestDir()
  const migrations = writeMigrations(dir.path, {
    '0001-seen.sql': 'create table seen (id text not null, total integer not null, by text not null)',
  })
  const ordersImpl = implement(orders, { store: postgres<Tables>({ migrations }) })
  const ordersService = ordersImpl.service({
    handlers: {
      place: async ({ input, store }) => {
        await store.transaction(async (tx) => tx.publish(orders.events.placed, input))
      },
    },
  })
  const impl = implement(reports, { uses: { orders }, store: postgres<Tables>({ migrations }) })
  const reportsService = impl.service({
    handlers: { add: async () => undefined },
    on: [
      impl.on(orders.events.placed, async ({ event: order, tx }) => {
        await tx.db
          .insertInto('seen')
          .values({ ...order, by: 'one' })
          .execute()
      }),
      impl.on(
        orders.events.placed,
        async ({ events, tx }) => {
          const rows = events.map(({ event: order }) => ({ ...order, by: 'many' }))
          await tx.db.insertInto('seen').values(rows).execute()
        },
        { batch: 500, name: 'all' },
      ),
      impl.effect(
        orders.events.placed,
        async ({ event: order, store }) => {
          await store.transaction((tx) =>
            tx.db
              .insertInto('seen')
              .values({ ...order, by: 'effect' })
              .execute(),
          )
        },
        { name: 'effect' },
      ),
    ],
  })
  return { ordersService, reportsService, dir }
}

describe('events of services that a test has started', () => {
  it('are handled once by each subscription, by the time the services have settled', async () => {
    const { ordersService, reportsService, dir } = services()
    await using started = await startServices([ordersService, reportsService])
    for (let n = 0; n < 20; n += 1) await started.client(orders).place({ id: `o${n % 7}`, total: n })
    await started.settled()
    const rows = await started.store<Tables>('reports').db.selectFrom('seen').selectAll().execute()
    for (const by of ['one', 'many', 'effect']) {
      const totals = rows.filter((row) => row.by === by).map(({ total }) => total)
      expect(totals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    }
    dir.remove()
  })
})

import { command, contract, event } from 'trestle/contract'
import { saga } from 'trestle/saga'
import { postgres, type StoreProvider, sql } from 'trestle/store'
import { z } from 'zod'
import type { Call, Reply } from '../../trestle/src/call/call.ts'
import { startSagas } from '../../trestle/src/saga/start-sagas.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'
import { watchCrashPoints } from '../../trestle/src/std/crash-points.ts'
import { uuidv7 } from '../../trestle/src/std/ids.ts'
import { openStore } from '../../trestle/src/store/open-store.ts'
import { type Contender, work } from './contender.ts'

interface Tables {
  readonly orders: { readonly id: string; readonly total: number; readonly status: string }
}

const Order = z.object({ id: z.string(), total: z.int() })
const orders = contract('orders', {
  version: '1.0.0',
  operations: {},
  events: { placed: event(Order, { key: 'id' }) },
})
const step = () =>
  command({ input: z.object({ id: z.string() }), output: z.object({ reference: z.string() }), idempotent: 'key' })
const desk = contract('desk', {
  version: '1.0.0',
  operations: { hold: step(), release: step(), authorise: step(), void: step(), capture: step(), ship: step() },
})

const checkout = saga('checkout', { on: orders.events.placed, uses: { desk } })
  .step('hold', {
    run: ({ event: { id }, call }) => call.desk.hold({ id }),
    undo: ({ event: { id }, call }) => call.desk.release({ id }),
  })
  .step('authorise', {
    run: ({ event: { id }, call }) => call.desk.authorise({ id }),
    undo: ({ event: { id }, call }) => call.desk.void({ id }),
  })
  .pivot('capture', { run: ({ event: { id }, call }) => call.desk.capture({ id }) })
  .step('ship', { run: ({ event: { id }, call }) => call.desk.ship({ id }) })
  .write('confirm', async ({ event: { id }, tx }) => {
    await tx.db.updateTable('orders').set({ status: 'confirmed' }).where('id', '=', id).execute()
  })

async function answer({ operation, input }: Call): Promise<Reply> {
  const { id } = (input as { readonly value: { readonly id: string } }).value
  return { ok: true, status: 200, body: { kind: 'value', value: await work(operation, id) } }
}

/** Sagas of Trestle: each begins in the transaction that writes its order, and ends in the one that confirms it. */
export async function trestleSagas(provider: StoreProvider): Promise<Contender> {
  const migrations = new URL('./migrations/', import.meta.url)
  const store = openStore(postgres<Tables>({ migrations }), await provider.connectionFor('trestle'))
  await store.migrate()
  const silent = { info() {}, warn() {}, error: console.error }
  const sagas = startSagas([checkout], {
    service: 'orders',
    store: store as never,
    send: answer,
    clock: systemClock,
    random: Math.random,
    newId: () => uuidv7(),
    log: silent,
  })
  await sagas.settled()
  // Who waits for which checkout is not told apart: as many have ended as were told.
  const waiting: (() => void)[] = []
  watchCrashPoints((point) => {
    if (point === 'saga.after-write') waiting.shift()?.()
  })
  return {
    name: 'Trestle',
    async checkout(id) {
      const ended = new Promise<void>((resolve) => void waiting.push(resolve))
      await store.transaction(async (tx) => {
        const order = { id, total: 100 }
        const written = tx.db
          .insertInto('orders')
          .values({ ...order, status: 'pending' })
          .execute()
        await Promise.all([written, checkout.start(tx, order)])
      })
      await ended
    },
    async confirmed() {
      const { rows } = await sql<{ n: number }>`
        select count(*)::integer as n from orders where status = 'confirmed'`.execute(store.db)
      return rows[0]?.n ?? 0
    },
    async [Symbol.asyncDispose]() {
      watchCrashPoints(undefined)
      await sagas.close()
      await store.close()
    },
  }
}

import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { productCount } from '../seed/product-count.ts'
import { bookDelivery, levelOf } from './books.ts'
import { inventory } from './contract.ts'
import { loadStock } from './load-stock.ts'
import { releaseExpired } from './release-expired.ts'
import { giveBack, hold, lockOrClose, lockReservation, reservationOf, shortNow, take } from './reservations.ts'
import type { InventoryTables, ReservationRow } from './tables.ts'

const impl = implement(inventory, {
  store: postgres<InventoryTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const find = impl.handler('find', async ({ input, store, fail }) => {
  const row = await store.db
    .selectFrom('stock')
    .select(['sku', 'on_hand', 'reserved'])
    .where('sku', '=', input.sku)
    .executeTakeFirst()
  if (row === undefined) return fail('stock_unknown', { sku: input.sku })
  return { sku: row.sku, available: row.on_hand - row.reserved }
})

const reserve = impl.handler('reserve', async ({ input: { orderId, lines }, store, fail, now }) => {
  const known = await reservationOf(store.db, orderId)
  const short = known === undefined ? await shortNow(store.db, lines) : undefined
  if (short !== undefined) return fail('out_of_stock', short)
  const reservation =
    known ??
    (await store.transaction(async ({ db }) => {
      const held = await hold(db, orderId, lines, now())
      return held.reservation ?? fail('out_of_stock', held.short)
    }))
  return reservation.state === 'released' ? fail('reservation_closed') : reservationView(reservation)
})

const release = impl.handler('release', async ({ input, store, now }) =>
  reservationView(
    await store.transaction(async ({ db }) => giveBack(db, await lockOrClose(db, input.orderId, now()), now())),
  ),
)

const commit = impl.handler('commit', async ({ input, store, fail, now }) => {
  const reservation = await store.transaction(async ({ db }) => {
    const locked = await lockReservation(db, input.orderId)
    return locked === undefined ? fail('reservation_not_found') : take(db, locked, now())
  })
  return reservation.state === 'released' ? fail('reservation_closed') : reservationView(reservation)
})

const restock = impl.handler('restock', async ({ input, store, fail, now }) => {
  const onHand = await store.transaction(({ db }) => bookDelivery(db, { ...input, at: new Date(now()) }))
  return onHand === undefined ? fail('stock_unknown', { sku: input.sku }) : { sku: input.sku, onHand }
})

const level = impl.handler(
  'level',
  async ({ input, store, fail }) => (await levelOf(store.db, input.sku)) ?? fail('stock_unknown', { sku: input.sku }),
)

export default impl.service({
  handlers: { find, reserve, release, commit, restock, level },
  start: (args) => loadStock(args, productCount()),
  jobs: [
    impl.every('10 seconds', 'release-expired', async ({ store, now, log }) => {
      const released = await releaseExpired(store, now())
      if (released > 0) log.info({ released }, 'released reservations whose time had passed')
    }),
  ],
})

function reservationView({ order_id, state, expires_at }: ReservationRow) {
  return { orderId: order_id, state, expiresAt: expires_at.toISOString() }
}

import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { productCount } from '../seed/product-count.ts'
import { bookDelivery, levelOf, levelsBehind } from './books.ts'
import { inventory } from './contract.ts'
import { loadStock } from './load-stock.ts'
import { releaseOne } from './release-expired.ts'
import {
  giveBack,
  hold as holdLines,
  keep,
  lockOrClose,
  lockReservation,
  reservationOf,
  shortNow,
  take,
} from './reservations.ts'
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
  const short = await shortNow(store.db, lines)
  // Looked for afterwards: what is missing may be what this order has reserved a moment ago.
  if (short !== undefined && (await reservationOf(store.db, orderId)) === undefined) return fail('out_of_stock', short)
  const reservation = await store.transaction(async ({ db }) => {
    const held = await holdLines(db, orderId, lines, now())
    if ('short' in held) return fail('out_of_stock', held.short)
    return held.reservation ?? fail('reservation_closed')
  })
  return reservation.state === 'released' ? fail('reservation_closed') : reservationView(reservation)
})

const hold = impl.handler('hold', async ({ input, store, fail }) => {
  const reservation = await store.transaction(async ({ db }) =>
    keep(db, (await lockReservation(db, input.orderId)) ?? fail('reservation_not_found')),
  )
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

const levels = impl.handler('levels', async ({ input, store, fail }) => {
  const after = input.cursor === undefined ? [null] : placeOf(['levels'], input.cursor, z.tuple([z.string()]))
  if (after === undefined) return fail('cursor_invalid')
  const found = await levelsBehind(store.db, after[0] ?? null, input.limit + 1)
  return cutPage(found, input.limit, (last) => cursorBehind(['levels'], [last.sku]))
})

export default impl.service({
  handlers: { find, reserve, hold, release, commit, restock, level, levels },
  start: (args) => loadStock(args, productCount()),
  jobs: [
    impl.every('10 seconds', 'release-expired', async ({ store, now }) => {
      const released = await store.transaction(({ db }) => releaseOne(db, now()))
      return released ? 'again' : undefined
    }),
  ],
})

function reservationView({ order_id, state, expires_at }: ReservationRow) {
  return { orderId: order_id, state, expiresAt: expires_at?.toISOString() ?? null }
}

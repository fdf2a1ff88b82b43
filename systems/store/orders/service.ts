import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { shopperOf } from '../shopper.ts'
import { cancelOrder } from './cancel.ts'
import { orders } from './contract.ts'
import { asPlaced, orderById, withLines } from './order-rows.ts'
import { placeOrder } from './place.ts'
import { forgetOld } from './placement.ts'
import type { OrdersTables } from './tables.ts'
import { expireOrders, releaseCancelled, tidyPlacements } from './tidy.ts'
import { uses } from './uses.ts'

const impl = implement(orders, {
  uses,
  store: postgres<OrdersTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const place = impl.handler('place', async (args) => {
  const { caller, key, store, fail } = args
  const customerId = shopperOf(caller) ?? fail('not_a_shopper')
  if (key === undefined) throw new TypeError('orders.place runs only with a key')
  const placed = await placeOrder(args, customerId, key, args.signal)
  if (placed.kind === 'order') return await asPlaced(store.db, placed.orderId)
  if (placed.kind === 'busy') return fail('order_in_progress', { retryAfterMs: placed.retryAfterMs })
  const { refusal } = placed
  if (refusal.code === 'cart_empty') return fail(refusal.code)
  if (refusal.code === 'product_gone') return fail(refusal.code, refusal.details)
  return fail(refusal.code, refusal.details)
})

const find = impl.handler('find', async ({ input, caller, store, fail }) => {
  let rows = store.db.selectFrom('orders').selectAll().where('id', '=', input.id)
  // An operator sees every order, a user only their own.
  if (caller.kind !== 'operator') rows = rows.where('customer_id', '=', shopperOf(caller) ?? fail('order_not_found'))
  const row = await rows.executeTakeFirst()
  if (row === undefined) return fail('order_not_found')
  return (await withLines(store.db, [row]))[0] ?? fail('order_not_found')
})

const list = impl.handler('list', async ({ input, caller, store, fail }) => {
  const customerId = shopperOf(caller)
  if (customerId === undefined) return { items: [], next: null }
  const cursorOf = ['orders', customerId]
  const after = input.cursor === undefined ? null : placeOf(cursorOf, input.cursor, z.tuple([z.uuid()]))
  if (after === undefined) return fail('cursor_invalid')
  let rows = store.db.selectFrom('orders').selectAll().where('customer_id', '=', customerId)
  // Ids are made in the order of time.
  if (after !== null) rows = rows.where('id', '<', after[0])
  const found = await rows
    .orderBy('id', 'desc')
    .limit(input.limit + 1)
    .execute()
  const page = cutPage(found, input.limit, (last) => cursorBehind(cursorOf, [last.id]))
  return { items: await withLines(store.db, page.items), next: page.next }
})

const cancel = impl.handler('cancel', async (args) => {
  const { input, caller, store, fail } = args
  const customerId = shopperOf(caller) ?? fail('order_not_found')
  if (!(await cancelOrder(args, customerId, input.id))) return fail('order_not_found')
  return (await orderById(store.db, input.id)) ?? fail('order_not_found')
})

const confirm = impl.handler('confirm', async ({ input, call, store, fail }) => {
  const order = (await orderById(store.db, input.id)) ?? fail('order_not_found')
  if (order.status === 'confirmed') return order
  if (order.status === 'cancelled') return fail('order_closed')
  const taken = await call.inventory.commit.try({ orderId: input.id })
  if (!taken.ok) {
    if (taken.error.code === 'reservation_closed') return fail('order_closed')
    throw taken.error
  }
  const confirmed = await store.db
    .updateTable('orders')
    .set({ status: 'confirmed' })
    .where('id', '=', input.id)
    .where('status', '=', 'pending')
    .executeTakeFirst()
  // Cancelled meanwhile: whoever did that also gives the stock back.
  if (confirmed.numUpdatedRows === 0n) return fail('order_closed')
  return { ...order, status: 'confirmed' as const }
})

export default impl.service({
  handlers: { place, find, list, cancel, confirm },
  jobs: [
    impl.every('5 seconds', 'tidy-placements', async (args) => {
      const ended = await tidyPlacements(args)
      if (ended > 0) args.log.info({ ended }, 'ended placements that were left in the middle')
    }),
    impl.every('5 seconds', 'expire-orders', async (args) => {
      const expired = await expireOrders(args)
      if (expired > 0) args.log.info({ expired }, 'cancelled orders whose time had passed')
      await releaseCancelled(args)
    }),
    impl.every('10 minutes', 'forget-old-keys', ({ store, now }) => forgetOld(store.db, now())),
  ],
})

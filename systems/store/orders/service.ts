import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { carts } from '../carts/contract.ts'
import { catalogue } from '../catalogue/contract.ts'
import { inventory } from '../inventory/contract.ts'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { shipping } from '../shipping/contract.ts'
import { shopperOf } from '../shopper.ts'
import { cancellation } from './cancellation.ts'
import { freeze, markOrdered, orderedUpTo } from './cart.ts'
import { approvalMs, checkout } from './checkout.ts'
import { orders } from './contract.ts'
import { insertOrder, isPlaced, orderHead, withLines } from './order-rows.ts'
import { reserve } from './reserve.ts'
import { markShipped } from './settle.ts'
import type { OrdersTables } from './tables.ts'

const impl = implement(orders, {
  uses: { carts, catalogue, inventory },
  store: postgres<OrdersTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const place = impl.handler('place', async ({ caller, call, store, fail, newId, now }) => {
  const customerId = shopperOf(caller) ?? fail('not_a_shopper')
  const ordered = await orderedUpTo(store.db, customerId)
  const cart = await call.carts.read({ userId: customerId, after: ordered })
  if (cart.lines.length === 0) return fail('cart_empty')
  const { items } = await call.catalogue.bySku({ skus: cart.lines.map((line) => line.sku) })
  const frozen = freeze(cart.lines, items)
  if ('gone' in frozen) return fail('product_gone', { sku: frozen.gone })
  const reserved = await reserve(call.inventory, { lines: cart.lines, newId })
  if ('short' in reserved) return fail('out_of_stock', reserved.short)
  const id = reserved.orderId
  let isTaken = false
  try {
    return await store.transaction(async (tx) => {
      isTaken = !(await markOrdered(tx.db, customerId, ordered, cart.version))
      if (isTaken) return fail('cart_empty')
      const [placedAt, expiresAt] = [new Date(now()), new Date(now() + approvalMs)]
      const order = await insertOrder(tx.db, { id, customerId, lines: frozen, placedAt, expiresAt })
      const { lines, version: cartVersion } = cart
      tx.publish(orders.events.placed, { id, customerId, cartVersion, lines, total: order.total })
      return order
    })
  } finally {
    // Another order of the same cart was first, unless it is this one: another try with the same key has placed it.
    if (isTaken && !(await isPlaced(store.db, id))) await call.inventory.release({ orderId: id })
  }
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

const cancel = impl.handler('cancel', async ({ input: { id }, caller, store, fail, now }) => {
  const customerId = shopperOf(caller) ?? fail('order_not_found')
  return await store.transaction(async (tx) => {
    const theirs = tx.db.selectFrom('orders').selectAll().where('id', '=', id).where('customer_id', '=', customerId)
    const order = (await theirs.forUpdate().executeTakeFirst()) ?? fail('order_not_found')
    if (order.shipped_at !== null) return fail('already_shipped')
    const isOver = order.closed_at !== null || order.cancel_requested_at !== null
    if (!isOver) {
      order.cancel_requested_at = new Date(now())
      await tx.db
        .updateTable('orders')
        .set({ cancel_requested_at: new Date(now()) })
        .where('id', '=', id)
        .execute()
      tx.publish(orders.events.cancelRequested, { id })
    }
    return (await withLines(tx.db, [order]))[0] ?? fail('order_not_found')
  })
})

const all = impl.handler('all', async ({ input, store, fail }) => {
  const after = input.cursor === undefined ? null : placeOf(['all'], input.cursor, z.tuple([z.uuid()]))
  if (after === undefined) return fail('cursor_invalid')
  let rows = store.db.selectFrom('orders').selectAll()
  if (after !== null) rows = rows.where('id', '>', after[0])
  const found = await rows
    .orderBy('id')
    .limit(input.limit + 1)
    .execute()
  const page = cutPage(found, input.limit, (last) => cursorBehind(['all'], [last.id]))
  const items = page.items.map((row) => ({ ...orderHead(row), customerId: row.customer_id }))
  return { items, next: page.next }
})

export default impl.service({
  handlers: { place, find, list, cancel, all },
  on: [impl.on(shipping.events.dispatched, ({ event, tx }) => markShipped(tx, event.orderId, new Date(event.at)))],
  sagas: [checkout, cancellation],
})

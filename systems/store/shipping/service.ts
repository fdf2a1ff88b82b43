import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { shopperOf } from '../shopper.ts'
import { scansMax, shipping } from './contract.ts'
import { noteScan, prepareShipment, recallShipment, scansOf, shipmentView } from './shipments.ts'
import type { ShippingTables } from './tables.ts'

const impl = implement(shipping, {
  store: postgres<ShippingTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const find = impl.handler('find', async ({ input, caller, store, fail }) => {
  let rows = store.db.selectFrom('shipments').selectAll().where('id', '=', input.id)
  // An operator sees every shipment, a user only their own.
  if (caller.kind !== 'operator') rows = rows.where('customer_id', '=', shopperOf(caller) ?? fail('shipment_not_found'))
  return await shipmentView(store.db, (await rows.executeTakeFirst()) ?? fail('shipment_not_found'))
})

const scan = impl.handler('scan', ({ input: { id, at, ...seen }, store, fail }) =>
  store.transaction(async (tx) => {
    const locked = tx.db.selectFrom('shipments').selectAll().where('id', '=', id).forUpdate()
    const shipment = (await locked.executeTakeFirst()) ?? fail('shipment_not_found')
    if (shipment.state === 'recalled') return fail('shipment_recalled')
    if ((await scansOf(tx.db, shipment.order_id)) >= scansMax) return fail('too_many_scans', { scansMax })
    await noteScan(tx, shipment, { ...seen, at: new Date(at) })
    return await shipmentView(tx.db, (await locked.executeTakeFirst()) ?? shipment)
  }),
)

const prepare = impl.handler('prepare', ({ input, store, newId, now }) =>
  store.transaction(async ({ db }) => {
    await prepareShipment(db, input, { id: newId(), at: new Date(now()) })
    const made = db.selectFrom('shipments').selectAll().where('order_id', '=', input.orderId)
    return await shipmentView(db, await made.executeTakeFirstOrThrow())
  }),
)

const recall = impl.handler('recall', async ({ input, store, newId, now, fail }) => {
  const isHere = await recallShipment(store.db, input.orderId, { id: newId(), at: new Date(now()) })
  return isHere ? undefined : fail('already_dispatched')
})

const list = impl.handler('list', async ({ input, store, fail }) => {
  const after = input.cursor === undefined ? null : placeOf(['shipments'], input.cursor, z.tuple([z.uuid()]))
  if (after === undefined) return fail('cursor_invalid')
  let rows = store.db.selectFrom('shipments').select(['id', 'order_id as orderId', 'state'])
  if (after !== null) rows = rows.where('order_id', '>', after[0])
  const found = await rows
    .orderBy('order_id')
    .limit(input.limit + 1)
    .execute()
  return cutPage(found, input.limit, (last) => cursorBehind(['shipments'], [last.orderId]))
})

export default impl.service({ handlers: { find, scan, prepare, recall, list } })

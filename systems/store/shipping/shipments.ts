import { type Kysely, sql } from 'kysely'
import type { Tx } from 'trestle/store'
import { shipping } from './contract.ts'
import type { ScanRow, ShipmentRow, ShippingTables } from './tables.ts'

type Db = Kysely<ShippingTables>

/** A parcel that is to be made. */
export interface NewShipment {
  readonly orderId: string
  readonly customerId: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

interface Made {
  readonly id: string
  readonly at: Date
}

/** Makes the parcel of an order ready, unless there is one or it was recalled before. */
export async function prepareShipment(db: Db, { orderId, customerId, lines }: NewShipment, { id, at }: Made) {
  const made = await db
    .insertInto('shipments')
    .values({ order_id: orderId, id, customer_id: customerId, state: 'ready', created_at: at })
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made === undefined || lines.length === 0) return
  await db
    .insertInto('shipment_lines')
    .values(lines.map((line) => ({ order_id: orderId, ...line })))
    .execute()
}

/** Keeps the parcel of an order here, also one that is not ready yet; `false`: the carrier has it. */
export async function recallShipment(db: Db, orderId: string, { id, at }: Made): Promise<boolean> {
  const recalled = await db
    .insertInto('shipments')
    .values({ order_id: orderId, id, customer_id: null, state: 'recalled', created_at: at })
    .onConflict((conflict) =>
      conflict
        .column('order_id')
        .doUpdateSet({ state: 'recalled' })
        .where('shipments.state', 'in', ['ready', 'recalled']),
    )
    .returning('id')
    .executeTakeFirst()
  return recalled !== undefined
}

/** Notes what a carrier saw, once, and what that makes of the parcel. The shipment must be locked. */
export async function noteScan(tx: Tx<ShippingTables>, shipment: ShipmentRow, scan: Omit<ScanRow, 'order_id'>) {
  const { order_id } = shipment
  const noted = await tx.db
    .insertInto('scans')
    .values({ order_id, ...scan })
    .onConflict((conflict) => conflict.columns(['order_id', 'scan']).doNothing())
    .returning('scan')
    .executeTakeFirst()
  if (noted === undefined) return
  const moved = { orderId: order_id, shipmentId: shipment.id, at: scan.at.toISOString() }
  // The first scan that is heard of says that the parcel has left, whichever it is.
  if (shipment.state === 'ready') tx.publish(shipping.events.dispatched, moved)
  const isDelivered = shipment.state === 'delivered' || scan.kind === 'delivered'
  if (isDelivered && shipment.state !== 'delivered') tx.publish(shipping.events.delivered, moved)
  const state = isDelivered ? 'delivered' : 'dispatched'
  await tx.db.updateTable('shipments').set({ state }).where('order_id', '=', order_id).execute()
}

/** How many scans of a parcel are kept. */
export async function scansOf(db: Db, orderId: string): Promise<number> {
  const { count } = await db
    .selectFrom('scans')
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('order_id', '=', orderId)
    .executeTakeFirstOrThrow()
  return count
}

/** A shipment as the contract shows it. */
export async function shipmentView(db: Db, { order_id, id, state }: ShipmentRow) {
  const [lines, scans] = await Promise.all([
    db
      .selectFrom('shipment_lines')
      .select(['sku', 'quantity'])
      .where('order_id', '=', order_id)
      .orderBy('sku')
      .execute(),
    db
      .selectFrom('scans')
      .select(['scan', 'kind', 'at'])
      .where('order_id', '=', order_id)
      .orderBy('at')
      .orderBy('scan')
      .execute(),
  ])
  return { id, orderId: order_id, state, lines, scans: scans.map((each) => ({ ...each, at: each.at.toISOString() })) }
}

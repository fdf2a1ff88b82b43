import type { Failure } from 'trestle/saga'
import type { Tx } from 'trestle/store'
import { orders } from './contract.ts'
import { totalOf } from './order-rows.ts'
import type { CloseReason, OrderRow, OrdersTables } from './tables.ts'

// How an order comes to its end: whoever is first, of the sagas that follow it, decides, and tells.

type OrdersTx = Tx<OrdersTables>

/** Shows the buyer where to approve the payment. */
export async function offerPayment({ db }: OrdersTx, id: string, approveUrl: string | null): Promise<void> {
  await db.updateTable('orders').set({ approve_url: approveUrl }).where('id', '=', id).execute()
}

/** It is paid and its parcel ready. One that is to be cancelled waits for what becomes of that: nobody is told of both. */
export async function confirm(tx: OrdersTx, id: string, shipmentId: string): Promise<void> {
  await tx.db
    .updateTable('orders')
    .set({ shipment_id: shipmentId })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .execute()
  await confirmUnlessWished(tx, id)
}

async function confirmUnlessWished(tx: OrdersTx, id: string): Promise<void> {
  const confirmed = await tx.db
    .updateTable('orders')
    .set({ status: 'confirmed' })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('shipment_id', 'is not', null)
    .where('cancel_requested_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
  if (confirmed !== undefined) tell(tx, confirmed, 'confirmed', false)
}

/** Nothing came of it: `rejected`, or `cancelled` where the customer wished it. */
export async function reject(tx: OrdersTx, id: string, failure: Failure, at: Date): Promise<void> {
  const order = await tx.db
    .selectFrom('orders')
    .select('cancel_requested_at')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  const isWished = order !== undefined && order.cancel_requested_at !== null
  await close(tx, id, { reason: isWished ? 'customer' : reasonOf(failure), at, refunded: false })
}

/** The customer wished it, and everything has been given back. */
export async function cancel(tx: OrdersTx, id: string, { at, refunded }: { at: Date; refunded: boolean }) {
  await close(tx, id, { reason: 'customer', at, refunded })
}

/** The parcel has left: it cannot be cancelled any more. */
export async function markShipped(tx: OrdersTx, id: string, at: Date): Promise<void> {
  await tx.db
    .updateTable('orders')
    .set({ cancel_requested_at: null, shipped_at: at })
    .where('id', '=', id)
    .where('shipped_at', 'is', null)
    .execute()
  await confirmUnlessWished(tx, id)
}

/** It is not cancelled after all. */
export async function keep(tx: OrdersTx, id: string): Promise<void> {
  await tx.db.updateTable('orders').set({ cancel_requested_at: null }).where('id', '=', id).execute()
  await confirmUnlessWished(tx, id)
}

interface Closing {
  readonly reason: CloseReason
  readonly at: Date
  readonly refunded: boolean
}

async function close(tx: OrdersTx, id: string, { reason, at, refunded }: Closing): Promise<void> {
  const status = reason === 'customer' ? 'cancelled' : 'rejected'
  const closed = await tx.db
    .updateTable('orders')
    .set({ status, closed_at: at, close_reason: reason })
    .where('id', '=', id)
    .where('status', 'in', ['pending', 'confirmed'])
    .returningAll()
    .executeTakeFirst()
  if (closed !== undefined) tell(tx, closed, status, refunded)
}

function tell(tx: OrdersTx, order: OrderRow, status: 'confirmed' | 'rejected' | 'cancelled', refunded: boolean): void {
  const { id, customer_id: customerId } = order
  tx.publish(orders.events.settled, { id, customerId, status, total: totalOf(order), refunded })
}

function reasonOf({ code }: Failure): CloseReason {
  if (code === 'timed_out' || code === 'payment_closed') return 'expired'
  return code === 'payment_declined' ? 'declined' : 'failed'
}

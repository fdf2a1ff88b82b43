import type { Kysely } from 'kysely'
import type { OrdersTables } from './tables.ts'
import type { OrdersWork } from './uses.ts'

type Db = Kysely<OrdersTables>

/** Marks a locked order cancelled; from then on its stock is due to be released. */
export async function markCancelled(
  db: Db,
  id: string,
  { at, reason }: { readonly at: Date; readonly reason: 'customer' | 'expired' },
): Promise<void> {
  await db
    .updateTable('orders')
    .set({ status: 'cancelled', cancelled_at: at, cancel_reason: reason, release_due: true })
    .where('id', '=', id)
    .execute()
}

/**
 * Cancels a customer's order: first the order, then its stock, so that a crash between the two leaves a note that the
 * stock is due. `false`: the customer has no such order.
 */
export async function cancelOrder({ call, store, now, log }: OrdersWork, customerId: string, id: string) {
  const releaseDue = await store.transaction(async ({ db }) => {
    const order = await db
      .selectFrom('orders')
      .select(['status', 'release_due'])
      .where('id', '=', id)
      .where('customer_id', '=', customerId)
      .forUpdate()
      .executeTakeFirst()
    if (order === undefined) return undefined
    if (order.status === 'cancelled') return order.release_due
    await markCancelled(db, id, { at: new Date(now()), reason: 'customer' })
    return true
  })
  if (releaseDue === undefined) return false
  if (releaseDue) {
    const released = await call.inventory.release.try({ orderId: id })
    if (released.ok) await store.db.updateTable('orders').set({ release_due: false }).where('id', '=', id).execute()
    else log.warn({ orderId: id, code: released.error.code }, 'the stock of a cancelled order is not free yet')
  }
  return true
}

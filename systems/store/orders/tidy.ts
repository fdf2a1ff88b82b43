import { markCancelled } from './cancel.ts'
import { claimAbandoned, forget, markDone } from './placement.ts'
import type { OrdersWork } from './uses.ts'

const perRunMax = 1_000

/**
 * Ends the placements that somebody left in the middle: without an order the stock is released and the key is free
 * again; with an order the cart is cleared. Answers how many it ended.
 */
export async function tidyPlacements({ call, store, now, newId }: OrdersWork): Promise<number> {
  for (let ended = 0; ended < perRunMax; ended++) {
    const left = await claimAbandoned(store, newId, now())
    if (left === undefined) return ended
    if (left.kind === 'again') {
      await call.inventory.release({ orderId: left.staleOrderId })
      await forget(store.db, left.work)
    } else if (left.kind === 'ordered') {
      await call.carts.clear({ userId: left.work.customerId, version: left.cartVersion })
      await markDone(store.db, left.work)
    }
  }
  return perRunMax
}

/** Cancels the pending orders whose time has passed. Answers how many it were. */
export async function expireOrders({ store, now }: Pick<OrdersWork, 'store' | 'now'>): Promise<number> {
  const at = new Date(now())
  return await store.transaction(async ({ db }) => {
    const expired = await db
      .selectFrom('orders')
      .select('id')
      .where('status', '=', 'pending')
      .where('expires_at', '<=', at)
      .orderBy('expires_at')
      .limit(perRunMax)
      .forUpdate()
      .skipLocked()
      .execute()
    for (const { id } of expired) await markCancelled(db, id, { at, reason: 'expired' })
    return expired.length
  })
}

/** Asks inventory again for the stock of cancelled orders that it has not freed yet. */
export async function releaseCancelled({ call, store }: Pick<OrdersWork, 'call' | 'store'>): Promise<void> {
  const due = await store.db
    .selectFrom('orders')
    .select('id')
    .where('release_due', '=', true)
    .limit(perRunMax)
    .execute()
  for (const { id } of due) {
    await call.inventory.release({ orderId: id })
    await store.db.updateTable('orders').set({ release_due: false }).where('id', '=', id).execute()
  }
}

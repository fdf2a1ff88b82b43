import { orders } from './contract.ts'
import { orderMs } from './create.ts'
import { lockStanding } from './order-rows.ts'
import type { Standing } from './standing.ts'
import type { OrdersWork } from './uses.ts'
import { orderView } from './views.ts'

export type Approved = Standing | 'invalid_resource_id' | 'order_already_approved' | 'order_voided'

/** Approves an order in the name of a payer; once it is theirs, doing it again changes nothing. */
export async function approveOrder(
  { store, now }: Pick<OrdersWork, 'store' | 'now'>,
  orderId: string,
  payerId: string,
): Promise<Approved> {
  return await store.transaction(async (tx) => {
    const standing = await lockStanding(tx.db, orderId)
    if (standing === undefined) return 'invalid_resource_id'
    const { order, payments } = standing
    if (order.status === 'VOIDED') return 'order_voided'
    if (order.payer_id !== null) return order.payer_id === payerId ? standing : 'order_already_approved'
    const updated_at = new Date(now())
    const changes = {
      status: 'APPROVED',
      payer_id: payerId,
      updated_at,
      expires_at: new Date(now() + orderMs),
    } as const
    await tx.db.updateTable('orders').set(changes).where('id', '=', orderId).execute()
    const approved = { order: { ...order, ...changes }, payments }
    tx.publish(orders.events.orderApproved, {
      orderId,
      merchantId: order.merchant_id,
      resource: orderView(approved),
    })
    return approved
  })
}

import type { Tx } from 'trestle/store'
import { orders } from './contract.ts'
import { decideVoid } from './decide.ts'
import { move } from './move.ts'
import { lockStanding } from './order-rows.ts'
import { settle } from './settle.ts'
import { openAuthorization, type Standing, wasCaptured } from './standing.ts'
import type { OrdersTables, PaymentRow } from './tables.ts'
import type { OrdersWork } from './uses.ts'
import { orderView } from './views.ts'

export type CalledOff = Standing | 'invalid_resource_id' | 'order_already_captured'

/** How often the order may change under our hands before we give up. */
const turnsMax = 10

/** Calls an order off: void from now on, and what is held for it is given back. */
export async function callOff(work: OrdersWork, orderId: string, merchantId: string): Promise<CalledOff> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const step = await work.store.transaction((tx) => close(tx, orderId, merchantId, new Date(work.now())))
    if (step.kind === 'called-off') return step.standing
    if (step.kind === 'refused') return step.code
    if (step.kind === 'pending') await settle(work, step.payment)
    else await voidAuthorization(work, step.payment, merchantId)
  }
  throw new Error(`order ${orderId} was not called off: it is asked for more at once`)
}

/** Asked again, it is the same request. */
async function voidAuthorization(work: OrdersWork, { id, order_id }: PaymentRow, merchantId: string) {
  const name = { merchant_id: merchantId, operation: 'call-off', request_id: id }
  await move(work, { name, asked: null, orderId: order_id, decide: (standing) => decideVoid(standing, id) })
}

type Step =
  | { readonly kind: 'called-off'; readonly standing: Standing }
  | { readonly kind: 'refused'; readonly code: 'invalid_resource_id' | 'order_already_captured' }
  /** Something is on its way, or held: that comes first. */
  | { readonly kind: 'pending' | 'held'; readonly payment: PaymentRow }

/** Closes an order that nothing stands in the way of; its caller is inside a transaction. */
export async function close(tx: Tx<OrdersTables>, orderId: string, merchantId: string, at: Date): Promise<Step> {
  const standing = await lockStanding(tx.db, orderId)
  if (standing?.order.merchant_id !== merchantId) return { kind: 'refused', code: 'invalid_resource_id' }
  if (standing.order.status === 'VOIDED') return { kind: 'called-off', standing }
  const pending = standing.payments.find(({ state }) => state === 'pending')
  if (pending !== undefined) return { kind: 'pending', payment: pending }
  if (wasCaptured(standing)) return { kind: 'refused', code: 'order_already_captured' }
  const held = openAuthorization(standing)
  if (held !== undefined) return { kind: 'held', payment: held }
  const order = { ...standing.order, status: 'VOIDED', updated_at: at } as const
  await tx.db.updateTable('orders').set({ status: 'VOIDED', updated_at: at }).where('id', '=', orderId).execute()
  const voided = { ...standing, order }
  tx.publish(orders.events.orderVoided, { orderId, merchantId, resource: orderView(voided) })
  return { kind: 'called-off', standing: voided }
}

import { callOff, voidAuthorization } from './call-off.ts'
import { settle } from './settle.ts'
import type { OrdersWork } from './uses.ts'

const perRunMax = 200
/** Who has written a movement down ends it within this time, unless it has died. */
export const abandonedMs = 10_000

/** Ends the movements that somebody has left pending. Answers how many. */
export async function settlePending(work: OrdersWork): Promise<number> {
  const left = await work.store.db
    .selectFrom('payments')
    .selectAll()
    .where('state', '=', 'pending')
    .where('updated_at', '<=', new Date(work.now() - abandonedMs))
    .orderBy('updated_at')
    .limit(perRunMax)
    .execute()
  for (const payment of left) await settle(work, payment)
  return left.length
}

/** Voids orders that nobody approved or paid in time, and authorizations that were held too long. Answers how many. */
export async function expire(work: OrdersWork): Promise<number> {
  const at = new Date(work.now())
  const orders = await work.store.db
    .selectFrom('orders')
    .select(['id', 'merchant_id'])
    .where('status', 'in', ['CREATED', 'APPROVED'])
    .where('expires_at', '<=', at)
    .orderBy('expires_at')
    .limit(perRunMax)
    .execute()
  for (const { id, merchant_id } of orders) await callOff(work, id, merchant_id)
  const authorizations = await work.store.db
    .selectFrom('payments')
    .innerJoin('orders', 'orders.id', 'payments.order_id')
    .selectAll('payments')
    .select('orders.merchant_id')
    .where('payments.kind', '=', 'authorization')
    .where('payments.state', '=', 'done')
    .where('payments.expires_at', '<=', at)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('payments as ending')
            .select('ending.id')
            .whereRef('ending.about', '=', 'payments.id')
            .where('ending.state', '=', 'done')
            .where('ending.final', '=', true),
        ),
      ),
    )
    .limit(perRunMax)
    .execute()
  for (const { merchant_id, ...authorization } of authorizations) {
    await voidAuthorization(work, authorization, merchant_id)
  }
  return orders.length + authorizations.length
}

import type { Store } from 'trestle/store'
import type { PaymentRow, PaymentsTables } from './tables.ts'

/** The payment of an order, as it stands. */
export function paymentOf({ db }: Store<PaymentsTables>, orderId: string): Promise<PaymentRow | undefined> {
  return db.selectFrom('payments').selectAll().where('order_id', '=', orderId).executeTakeFirst()
}

import type { Kysely } from 'kysely'
import type { Standing } from './standing.ts'
import type { OrderRow, OrdersTables, PaymentRow, RequestRow } from './tables.ts'

type Db = Kysely<OrdersTables>

/** A request as its merchant identifies it. */
export type RequestName = Pick<RequestRow, 'merchant_id' | 'operation' | 'request_id'>

/** An order as it stands. */
export async function standingOf(db: Db, orderId: string): Promise<Standing | undefined> {
  const [order, payments] = await Promise.all([orderRow(db, orderId), paymentRows(db, [orderId])])
  return order === undefined ? undefined : { order, payments }
}

/** The same, and nobody else can change it until the transaction ends. */
export async function lockStanding(db: Db, orderId: string): Promise<Standing | undefined> {
  // The second is a statement of its own: one that waited for the lock would still see what was before.
  const [order, payments] = await Promise.all([
    db.selectFrom('orders').selectAll().where('id', '=', orderId).forUpdate().executeTakeFirst(),
    paymentRows(db, [orderId]),
  ])
  return order === undefined ? undefined : { order, payments }
}

/** Many orders at once, oldest first. */
export async function standingsOf(db: Db, orderIds: readonly string[]): Promise<readonly Standing[]> {
  if (orderIds.length === 0) return []
  const [orders, payments] = await Promise.all([
    db.selectFrom('orders').selectAll().where('id', 'in', orderIds).orderBy('id').execute(),
    paymentRows(db, orderIds),
  ])
  return orders.map((order) => ({ order, payments: payments.filter(({ order_id }) => order_id === order.id) }))
}

/** A payment of a merchant, and its order; none while it is pending: nobody knows its id yet. */
export async function paymentOf(
  db: Db,
  merchantId: string | undefined,
  kind: PaymentRow['kind'],
  id: string,
): Promise<{ readonly payment: PaymentRow; readonly standing: Standing } | undefined> {
  const row = await db.selectFrom('payments').select('order_id').where('id', '=', id).executeTakeFirst()
  const standing = row === undefined ? undefined : await standingOf(db, row.order_id)
  const payment = standing?.payments.find((each) => each.id === id && each.kind === kind && each.state !== 'pending')
  if (standing === undefined || payment === undefined || standing.order.merchant_id !== merchantId) return undefined
  return { payment, standing }
}

/** What became of a request. */
export async function requestOf(db: Db, { merchant_id, operation, request_id }: RequestName) {
  return await db
    .selectFrom('requests')
    .selectAll()
    .where('merchant_id', '=', merchant_id)
    .where('operation', '=', operation)
    .where('request_id', '=', request_id)
    .executeTakeFirst()
}

async function orderRow(db: Db, id: string): Promise<OrderRow | undefined> {
  return await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst()
}

async function paymentRows(db: Db, orderIds: readonly string[]): Promise<PaymentRow[]> {
  return await db.selectFrom('payments').selectAll().where('order_id', 'in', orderIds).orderBy('id').execute()
}

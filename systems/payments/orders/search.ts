import type { Kysely } from 'kysely'
import { standingsOf } from './order-rows.ts'
import type { Standing } from './standing.ts'
import type { OrdersTables } from './tables.ts'

/** An id is one of a request or an invoice: it leads to few orders. */
const foundMax = 20

/** The orders of a merchant that a request or an invoice is about, newest first. */
export async function searchOrders(
  db: Kysely<OrdersTables>,
  merchantId: string,
  { request_id, invoice_id }: { readonly request_id?: string | undefined; readonly invoice_id?: string | undefined },
): Promise<readonly Standing[]> {
  let rows = db.selectFrom('orders').select('orders.id').where('orders.merchant_id', '=', merchantId)
  if (invoice_id !== undefined) rows = rows.where('orders.invoice_id', '=', invoice_id)
  if (request_id !== undefined) {
    rows = rows.where('orders.id', 'in', (from) =>
      from
        .selectFrom('requests')
        .select('requests.order_id')
        .where('requests.merchant_id', '=', merchantId)
        .where('requests.request_id', '=', request_id),
    )
  }
  const found = await rows.orderBy('orders.id', 'desc').limit(foundMax).execute()
  return await standingsOf(
    db,
    found.map(({ id }) => id),
  )
}

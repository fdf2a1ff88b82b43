import type { Kysely, Selectable } from 'kysely'
import { type Money, sum, times } from '../money.ts'
import type { OrderLineRow, OrdersTable, OrdersTables } from './tables.ts'

/** A line with its price frozen. */
export interface FrozenLine {
  readonly sku: string
  readonly name: string
  readonly quantity: number
  readonly price: Money
}

/** An order as it begins. */
export interface NewOrder {
  readonly id: string
  readonly customerId: string
  readonly lines: readonly FrozenLine[]
  readonly placedAt: Date
  readonly expiresAt: Date
}

export type OrderRow = Selectable<OrdersTable>
type Db = Kysely<OrdersTables>

/** Writes a pending order and its lines. */
export async function insertOrder(db: Db, order: NewOrder): Promise<void> {
  const total = sum(order.lines.map((line) => times(line.price, line.quantity)))
  await db
    .insertInto('orders')
    .values({
      id: order.id,
      customer_id: order.customerId,
      status: 'pending',
      total_amount: String(total.amount),
      currency: total.currency,
      placed_at: order.placedAt,
      expires_at: order.expiresAt,
      cancelled_at: null,
      cancel_reason: null,
    })
    .execute()
  const lines = order.lines.map(({ sku, name, quantity, price }, position) => ({
    order_id: order.id,
    position,
    sku,
    name,
    quantity,
    price_amount: String(price.amount),
  }))
  await db.insertInto('order_lines').values(lines).execute()
}

/** Orders as the contract shows them, in the order of `rows`. */
export async function withLines(db: Db, rows: readonly OrderRow[]) {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const lines = await db
    .selectFrom('order_lines')
    .selectAll()
    .where('order_id', 'in', ids)
    .orderBy('order_id')
    .orderBy('position')
    .execute()
  const ofOrder = Map.groupBy(lines, (line) => line.order_id)
  return rows.map((row) => orderView(row, ofOrder.get(row.id) ?? []))
}

/** One order as the contract shows it. */
function orderView(row: OrderRow, lines: readonly OrderLineRow[]) {
  const { currency } = row
  return {
    id: row.id,
    status: row.status,
    lines: lines.map(({ sku, name, quantity, price_amount }) => {
      const price = { amount: Number(price_amount), currency }
      return { sku, name, quantity, price, total: times(price, quantity) }
    }),
    total: { amount: Number(row.total_amount), currency },
    placedAt: row.placed_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    cancelled:
      row.cancelled_at === null || row.cancel_reason === null
        ? null
        : { at: row.cancelled_at.toISOString(), reason: row.cancel_reason },
  }
}

/** One order by its id, with its lines; `undefined` when there is none. */
export async function orderById(db: Db, id: string) {
  const row = await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : (await withLines(db, [row]))[0]
}

/** The reply that placing the order got, whatever has become of it since. */
export async function asPlaced(db: Db, id: string) {
  const order = await orderById(db, id)
  if (order === undefined) throw new Error(`order ${id} is in the placements and not in the orders`)
  return { ...order, status: 'pending' as const, cancelled: null }
}

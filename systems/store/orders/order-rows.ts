import type { Kysely } from 'kysely'
import { type Money, sum, times } from '../money.ts'
import type { OrderLineRow, OrderRow, OrdersTables } from './tables.ts'

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

type Db = Kysely<OrdersTables>

/** Whether there is such an order. */
export async function isPlaced(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('orders').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

/** Writes a pending order and its lines; answers with it as the contract shows it. */
export async function insertOrder(db: Db, order: NewOrder) {
  const total = sum(order.lines.map((line) => times(line.price, line.quantity)))
  const lines = order.lines.map(({ sku, name, quantity, price }, position) => ({
    order_id: order.id,
    position,
    sku,
    name,
    quantity,
    price_amount: String(price.amount),
  }))
  const [row] = await Promise.all([
    db
      .insertInto('orders')
      .values({
        id: order.id,
        customer_id: order.customerId,
        status: 'pending',
        total_amount: String(total.amount),
        currency: total.currency,
        placed_at: order.placedAt,
        expires_at: order.expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    db.insertInto('order_lines').values(lines).execute(),
  ])
  return orderView(row, lines)
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

function orderView(row: OrderRow, lines: readonly OrderLineRow[]) {
  const { currency } = row
  return {
    ...orderHead(row),
    lines: lines.map(({ sku, name, quantity, price_amount }) => {
      const price = { amount: Number(price_amount), currency }
      return { sku, name, quantity, price, total: times(price, quantity) }
    }),
  }
}

/** An order as the contract shows it, without its lines. */
export function orderHead(row: OrderRow) {
  const isOpen = row.status === 'pending' && row.cancel_requested_at === null
  return {
    id: row.id,
    status: row.status,
    total: totalOf(row),
    placedAt: row.placed_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    approveUrl: isOpen ? row.approve_url : null,
    shipmentId: row.shipment_id,
    cancelRequestedAt: row.cancel_requested_at?.toISOString() ?? null,
    closed:
      row.closed_at === null || row.close_reason === null
        ? null
        : { at: row.closed_at.toISOString(), reason: row.close_reason },
  }
}

/** What an order costs. */
export function totalOf({ total_amount, currency }: OrderRow): Money {
  return { amount: Number(total_amount), currency }
}

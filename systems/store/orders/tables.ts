import type { Generated, Selectable } from 'kysely'

/** The tables of the orders service; see migrations/. */
export interface OrdersTables {
  orders: OrdersTable
  order_lines: OrderLineRow
  ordered_carts: { customer_id: string; version: number }
}

export interface OrdersTable {
  id: string
  customer_id: string
  status: 'pending' | 'confirmed' | 'rejected' | 'cancelled'
  /** A bigint: the driver reads it as text. */
  total_amount: string
  currency: string
  placed_at: Date
  expires_at: Date
  /** Where the buyer approves the payment. */
  approve_url: Generated<string | null>
  shipment_id: Generated<string | null>
  shipped_at: Generated<Date | null>
  cancel_requested_at: Generated<Date | null>
  closed_at: Generated<Date | null>
  close_reason: Generated<CloseReason | null>
}

export type CloseReason = 'customer' | 'expired' | 'declined' | 'failed'
export type OrderRow = Selectable<OrdersTable>

export interface OrderLineRow {
  order_id: string
  position: number
  sku: string
  name: string
  quantity: number
  /** A bigint: the driver reads it as text. */
  price_amount: string
}

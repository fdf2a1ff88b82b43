import type { Generated } from 'kysely'
import type { Refusal } from './refusal.ts'

/** The tables of the orders service; see migrations/. */
export interface OrdersTables {
  orders: OrdersTable
  order_lines: OrderLineRow
  placements: PlacementsTable
}

export interface OrdersTable {
  id: string
  customer_id: string
  status: 'pending' | 'confirmed' | 'cancelled'
  /** A bigint: the driver reads it as text. */
  total_amount: string
  currency: string
  placed_at: Date
  expires_at: Date
  cancelled_at: Date | null
  cancel_reason: 'customer' | 'expired' | null
  release_due: Generated<boolean>
}

export interface OrderLineRow {
  order_id: string
  position: number
  sku: string
  name: string
  quantity: number
  /** A bigint: the driver reads it as text. */
  price_amount: string
}

export interface PlacementsTable {
  customer_id: string
  key_hash: Buffer
  order_id: string
  state: 'running' | 'ordered' | 'done' | 'refused'
  refusal: Refusal | null
  cart_version: number | null
  fence: number
  lease_until: Date
  created_at: Date
}

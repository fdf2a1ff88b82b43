import type { Generated } from 'kysely'

/** The tables of the inventory service; see migrations/. */
export interface InventoryTables {
  stock: StockTable
  reservations: ReservationRow
  reservation_lines: ReservationLineRow
  movements: MovementRow
  seed_progress: { only_row: Generated<boolean>; loaded: number }
}

export interface StockTable {
  sku: string
  on_hand: number
  reserved: Generated<number>
  initial: number
}

export interface ReservationRow {
  order_id: string
  state: 'held' | 'committed' | 'released'
  expires_at: Date | null
  created_at: Date
}

export interface ReservationLineRow {
  order_id: string
  sku: string
  quantity: number
}

export interface MovementRow {
  sku: string
  kind: 'delivery' | 'sale' | 'return'
  reference: string
  quantity: number
  at: Date
}

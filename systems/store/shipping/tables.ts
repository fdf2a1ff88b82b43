/** The tables of the shipping service; see migrations/. */
export interface ShippingTables {
  shipments: ShipmentRow
  shipment_lines: { order_id: string; sku: string; quantity: number }
  scans: ScanRow
}

export interface ShipmentRow {
  order_id: string
  id: string
  /** Not known of a parcel that was recalled before it was ready. */
  customer_id: string | null
  state: 'ready' | 'dispatched' | 'delivered' | 'recalled'
  created_at: Date
}

export interface ScanRow {
  order_id: string
  /** The carrier's number of it. */
  scan: string
  kind: 'picked_up' | 'in_transit' | 'delivered'
  at: Date
}

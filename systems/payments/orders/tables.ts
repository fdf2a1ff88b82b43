/** The tables of the orders service; see migrations/. */
export interface OrdersTables {
  orders: OrderRow
  payments: PaymentRow
  requests: RequestRow
}

export interface OrderRow {
  id: string
  merchant_id: string
  intent: 'CAPTURE' | 'AUTHORIZE'
  status: 'CREATED' | 'APPROVED' | 'COMPLETED' | 'VOIDED'
  /** A bigint: the driver reads it as text. */
  amount: string
  currency: string
  reference_id: string
  description: string | null
  custom_id: string | null
  invoice_id: string | null
  brand_name: string | null
  return_url: string | null
  cancel_url: string | null
  payer_id: string | null
  created_at: Date
  updated_at: Date
  expires_at: Date
  held_until: Date | null
}

export interface PaymentRow {
  id: string
  order_id: string
  kind: 'authorization' | 'capture' | 'refund' | 'void'
  about: string | null
  /** A bigint: the driver reads it as text. */
  amount: string
  final: boolean
  note: string | null
  state: 'pending' | 'done' | 'refused'
  created_at: Date
  updated_at: Date
  expires_at: Date | null
}

export interface RequestRow {
  merchant_id: string
  operation: string
  request_id: string
  fingerprint: Buffer
  order_id: string
  payment_id: string | null
  created_at: Date
}

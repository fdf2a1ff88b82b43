import type { Generated, Selectable } from 'kysely'

/** The tables of the payments service; see migrations/. */
export interface PaymentsTables {
  payments: PaymentsTable
  attempts: AttemptsTable
  webhook_events: { id: string; received_at: Date }
  webhooks: { url: string; id: string; registered_at: Date }
}

/** Bigints are text here: so the driver reads them. */
export interface PaymentsTable {
  order_id: string
  amount: string | null
  currency: string | null
  provider_order_id: Generated<string | null>
  approve_url: Generated<string | null>
  approved_at: Generated<Date | null>
  authorization_id: Generated<string | null>
  capturing_at: Generated<Date | null>
  capture_id: Generated<string | null>
  captured_amount: Generated<string | null>
  refund_id: Generated<string | null>
  refunded_amount: Generated<string | null>
  declined_reason: Generated<string | null>
  closing_at: Generated<Date | null>
  closed_at: Generated<Date | null>
  created_at: Date
  look_at: Generated<Date | null>
}

export type PaymentRow = Selectable<PaymentsTable>

export interface AttemptsTable {
  request_id: string
  order_id: string
  tries: Generated<number>
  sent_at: Date
  outcome: Generated<string | null>
}

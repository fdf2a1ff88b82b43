import type { Generated } from 'kysely'

/** The tables of the payments service; see migrations/. */
export interface PaymentsTables {
  payments: PaymentsTable
  provider_requests: ProviderRequestsTable
  webhook_events: { id: string; received_at: Date }
  webhooks: { url: string; id: string; registered_at: Date }
}

export interface PaymentsTable {
  order_id: string
  /** A bigint: the driver reads it as text. */
  amount: string | null
  currency: string | null
  provider_order_id: Generated<string | null>
  approve_url: Generated<string | null>
  approved_at: Generated<Date | null>
  authorization_id: Generated<string | null>
  capturing_at: Generated<Date | null>
  capture_id: Generated<string | null>
  refund_id: Generated<string | null>
  declined_reason: Generated<string | null>
  closing_at: Generated<Date | null>
  closed_at: Generated<Date | null>
  created_at: Date
  look_at: Date | null
}

export interface ProviderRequestsTable {
  /** The request id. */
  id: string
  order_id: string
  kind: 'create' | 'authorize' | 'capture' | 'void' | 'refund'
  tries: Generated<number>
  sent_at: Date
  settled_at: Generated<Date | null>
  outcome: Generated<string | null>
}

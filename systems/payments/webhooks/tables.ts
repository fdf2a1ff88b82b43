import type { Generated, Selectable } from 'kysely'

/** The tables of the webhooks service; see migrations/. */
export interface WebhooksTables {
  webhooks: WebhookRow
  events: EventRow
  deliveries: DeliveriesTable
  signing_keys: SigningKeysTable
}

export interface WebhookRow {
  id: string
  merchant_id: string
  url: string
  event_types: string[]
  created_at: Date
}

export interface EventRow {
  id: string
  merchant_id: string
  event_type: string
  /** The JSON that is sent: the same bytes each time. */
  body: string
  created_at: Date
}

interface DeliveriesTable {
  id: string
  event_id: string
  webhook_id: string
  url: string
  state: Generated<'pending' | 'sent' | 'failed'>
  tries: Generated<number>
  next_at: Date
  fence: Generated<number>
  http_status: Generated<number | null>
  reason: Generated<string | null>
  tried_at: Generated<Date | null>
  created_at: Date
  disturbed: Generated<boolean>
}

export type DeliveryRow = Selectable<DeliveriesTable>

interface SigningKeysTable {
  kid: string
  public_x: string
  private_pkcs8: Buffer
  created_at: Date
  retired_at: Generated<Date | null>
}

export type SigningKeyRow = Selectable<SigningKeysTable>

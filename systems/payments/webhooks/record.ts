import { type Kysely, sql } from 'kysely'
import type { EventMeta } from 'trestle/service'
import type { EventType } from './contract.ts'
import type { WebhooksTables } from './tables.ts'

/** What has happened, as the orders service tells it. */
export interface Happened {
  readonly merchantId: string
  readonly resource: object
}

/** What merchants read about each type. */
const texts: Readonly<Record<EventType, readonly [resourceType: string, summary: string]>> = {
  'CHECKOUT.ORDER.APPROVED': ['checkout-order', 'An order has been approved by the payer'],
  'CHECKOUT.ORDER.VOIDED': ['checkout-order', 'An order was called off'],
  'PAYMENT.AUTHORIZATION.CREATED': ['authorization', 'A payment authorization was created'],
  'PAYMENT.AUTHORIZATION.DENIED': ['authorization', 'A payment authorization was declined'],
  'PAYMENT.AUTHORIZATION.VOIDED': ['authorization', 'A payment authorization was voided'],
  'PAYMENT.CAPTURE.COMPLETED': ['capture', 'A payment was captured'],
  'PAYMENT.CAPTURE.DENIED': ['capture', 'A payment capture was declined'],
  'PAYMENT.CAPTURE.REFUNDED': ['refund', 'A captured payment was refunded'],
}

/**
 * Writes an event down, and a delivery of it to each webhook of the merchant that wants such events. Nothing, if it is written
 * down already: an operator has had events replayed.
 */
export async function recordEvent(
  db: Kysely<WebhooksTables>,
  type: EventType,
  { merchantId, resource }: Happened,
  meta: Pick<EventMeta, 'id' | 'occurredAt'>,
  now: number,
): Promise<void> {
  const at = new Date(now)
  const body = JSON.stringify(eventOf(type, resource, meta))
  await db
    .with('written', (first) =>
      first
        .insertInto('events')
        .values({ id: meta.id, merchant_id: merchantId, event_type: type, body, created_at: at })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id'),
    )
    .insertInto('deliveries')
    .columns(['id', 'event_id', 'webhook_id', 'url', 'next_at', 'created_at'])
    .expression((from) =>
      from
        .selectFrom(['webhooks', 'written'])
        .select([
          sql<string>`gen_random_uuid()`.as('id'),
          'written.id as event_id',
          'webhooks.id as webhook_id',
          'url',
          sql<Date>`${at}::timestamptz`.as('next_at'),
          sql<Date>`${at}::timestamptz`.as('created_at'),
        ])
        .where('merchant_id', '=', merchantId)
        .where(sql<boolean>`event_types && ${['*', type]}::text[]`),
    )
    .execute()
}

function eventOf(type: EventType, resource: object, { id, occurredAt }: Pick<EventMeta, 'id' | 'occurredAt'>) {
  const [resource_type, summary] = texts[type]
  const self = `/v1/notifications/webhooks-events/${id}`
  return {
    id,
    create_time: new Date(occurredAt).toISOString(),
    event_type: type,
    event_version: '1.0',
    resource_type,
    resource_version: '2.0',
    summary,
    resource,
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: `${self}/resend`, rel: 'resend', method: 'POST' },
    ],
  }
}

import type { z } from 'zod'
import type { Transmission, Webhook, WebhookEvent } from './contract.ts'
import type { DeliveryRow, EventRow, WebhookRow } from './tables.ts'

/** A webhook as its merchant sees it. */
export function webhookOf({ id, url, event_types }: WebhookRow): z.input<typeof Webhook> {
  const self = `/v1/notifications/webhooks/${id}`
  return {
    id,
    url,
    // Written by us, of the types that the contract has.
    event_types: event_types.map((name) => ({ name })) as z.input<typeof Webhook>['event_types'],
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: self, rel: 'delete', method: 'DELETE' },
    ],
  }
}

/** An event as its merchant sees it: what was sent. */
export function eventOf({ body }: Pick<EventRow, 'body'>): z.input<typeof WebhookEvent> {
  return JSON.parse(body) as z.input<typeof WebhookEvent>
}

const status = { pending: 'PENDING', sent: 'SUCCESS', failed: 'FAILURE' } as const

/** How a delivery went so far. */
export function transmissionOf(row: DeliveryRow): z.input<typeof Transmission> {
  return {
    transmission_id: row.id,
    webhook_id: row.webhook_id,
    webhook_url: row.url,
    status: status[row.state],
    tries: row.tries,
    http_status: row.http_status,
    reason: row.reason,
    next_try_time: row.state === 'pending' ? row.next_at.toISOString() : null,
    timestamp: (row.tried_at ?? row.created_at).toISOString(),
  }
}

import { type Kysely, sql } from 'kysely'
import type { WebhooksTables } from './tables.ts'

/** A delivery that nobody else sends until its lease is over. */
export interface Claimed {
  readonly id: string
  readonly webhook_id: string
  readonly url: string
  readonly tries: number
  readonly fence: number
  readonly body: string
}

/** Whose deliveries are looked for, and when. */
export interface Claiming {
  readonly db: Kysely<WebhooksTables>
  readonly now: () => number
  /** Only what tests with switches have looked at already. */
  readonly onlyDisturbed: boolean
}

/** After which somebody else may try, milliseconds; longer than a request may take. */
export const leaseMs = 15_000
/** Sent at once. */
const inFlightMax = 64
/** Of those to one webhook: one that hangs does not hold up the others. */
const perWebhookMax = 8
/** Of those to a merchant, about: shared out among its webhooks that something waits for. */
const perMerchantMax = 16

/**
 * Claims what is due, of merchants that are sent the least first, else of those that wait longest. However much waits, it reads one
 * row for each webhook that something waits for, the first in the order of `deliveries_due`, and those that it may claim.
 * @param running the webhooks that are being asked, once for each request
 */
export async function claim({ db, now, onlyDisturbed }: Claiming, running: readonly string[]): Promise<Claimed[]> {
  const room = inFlightMax - running.length
  if (room <= 0) return []
  const at = new Date(now())
  const lease = new Date(at.getTime() + leaseMs)
  const { rows } = await sql<Claimed>`
    with recursive waiting as (
      (select webhook_id, next_at from deliveries where state = 'pending' order by webhook_id, next_at limit 1)
      union all
      select later.webhook_id, later.next_at
      from waiting
      cross join lateral (
        select webhook_id, next_at
        from deliveries
        where state = 'pending' and webhook_id > waiting.webhook_id
        order by webhook_id, next_at
        limit 1
      ) later
    ),
    shares as (
      select w.webhook_id, w.next_at, o.merchant_id, sum(own.running) over merchant as running,
        least(${perWebhookMax}::integer, greatest(1, ${perMerchantMax}::integer / count(*) over merchant)) - own.running as room
      from waiting w
      join webhooks o on o.id = w.webhook_id
      cross join lateral (select count(*) as running from unnest(${running}::uuid[]) r where r = w.webhook_id) own
      window merchant as (partition by o.merchant_id)
    ),
    free as (
      select * from shares where room > 0 and next_at <= ${at} order by running, next_at limit ${room}
    ),
    due as (
      select d.id
      from free
      cross join lateral (
        select id, next_at
        from deliveries
        where webhook_id = free.webhook_id and state = 'pending' and next_at <= ${at} and (disturbed or not ${onlyDisturbed})
        order by next_at
        limit free.room
        for update skip locked
      ) d
      order by free.running + row_number() over (partition by free.merchant_id order by d.next_at), d.next_at
      limit ${room}
    )
    update deliveries
    set next_at = ${lease}, tries = tries + 1, fence = fence + 1, tried_at = ${at}
    from due, events
    where deliveries.id = due.id and events.id = deliveries.event_id
    returning deliveries.id, deliveries.webhook_id, deliveries.url, deliveries.tries, deliveries.fence, events.body
  `.execute(db)
  return rows
}

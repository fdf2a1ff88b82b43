import { type Kysely, sql } from 'kysely'
import { type GuardedHttp } from 'trestle/http'
import { longestWaitMs, triesMax, waitMs } from './retry.ts'
import { algorithm, signatureOf } from './signature.ts'
import { currentKey } from './signing-keys.ts'
import type { SigningKeyRow, WebhooksTables } from './tables.ts'

/** What a run of the sender needs. */
export interface Sending {
  readonly db: Kysely<WebhooksTables>
  readonly http: Pick<GuardedHttp, 'request'>
  readonly now: () => number
  readonly signal: AbortSignal
  /** Only what tests with switches have looked at already. */
  readonly onlyDisturbed: boolean
}

interface Claimed {
  readonly id: string
  readonly webhook_id: string
  readonly url: string
  readonly tries: number
  readonly fence: number
  readonly body: string
}

/** Sent at once. */
const inFlightMax = 64
/** Of those to one webhook: one that hangs does not hold up the others. */
const perWebhookMax = 8
/** To all webhooks of a merchant, about: one whose webhooks all hang holds up nobody else. */
const perMerchantMax = 16
/** After which somebody else may try; longer than a request may take. */
const leaseMs = 15_000
/** After which a run takes nothing more. */
const runMaxMs = 20_000
const reasonCharactersMax = 200

/** Sends what is due, until nothing is or the time is over. Answers how many requests it made. */
export async function deliverDue(sending: Sending): Promise<number> {
  const { now, signal } = sending
  const running = new Map<Promise<void>, string>()
  const until = now() + runMaxMs
  let key: SigningKeyRow | undefined
  let sent = 0
  while (!signal.aborted) {
    const before = [...running.values()]
    const claimed = now() < until ? await claim(sending, before) : []
    if (claimed.length > 0) key ??= await currentKey(sending.db)
    for (const one of claimed) {
      sent++
      const going = deliver(sending, one, key as SigningKeyRow).finally(() => running.delete(going))
      running.set(going, one.webhook_id)
    }
    if (running.size > 0) await Promise.race(running.keys())
    // What ended while it was asked for more had still taken up the room of what waits.
    else if (before.length === 0 || now() >= until) return sent
  }
  await Promise.all(running.keys())
  return sent
}

/**
 * Makes due what waits longer than anything can: the clock was put back. Answers how many those were. What tests have made late
 * stays late.
 */
export async function mindTheClock(db: Kysely<WebhooksTables>, now: number): Promise<number> {
  const all = Array.from({ length: triesMax + 1 }, (_, tries) => tries)
  const latest = all.map((tries) => new Date(now + Math.max(leaseMs, longestWaitMs(tries))))
  const { numAffectedRows } = await sql`
    update deliveries
    set next_at = ${new Date(now)}
    from unnest(${all}::integer[], ${latest}::timestamptz[]) as bound (tries, latest)
    where state = 'pending' and not disturbed and deliveries.tries = bound.tries and next_at > bound.latest
  `.execute(db)
  return Number(numAffectedRows)
}

/** @param running the webhooks that are being asked, once for each request */
async function claim({ db, now, onlyDisturbed }: Sending, running: readonly string[]): Promise<readonly Claimed[]> {
  const room = inFlightMax - running.length
  if (room <= 0) return []
  const at = new Date(now())
  const lease = new Date(now() + leaseMs)
  const { rows } = await sql<Claimed>`
    with due as (
      select d.id
      from (
        select w.webhook_id,
          least(${perWebhookMax}::integer, greatest(1, ${perMerchantMax}::integer / count(*) over (partition by o.merchant_id)))
            - (select count(*) from unnest(${running}::uuid[]) r where r = w.webhook_id) as room
        from (select distinct webhook_id from deliveries where state = 'pending' and next_at <= ${at}) w
        join webhooks o on o.id = w.webhook_id
      ) w
      cross join lateral (
        select id, next_at
        from deliveries
        where webhook_id = w.webhook_id and state = 'pending' and next_at <= ${at} and (disturbed or not ${onlyDisturbed})
        order by next_at, id
        limit greatest(w.room, 0)
        for update skip locked
      ) d
      order by d.next_at
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

async function deliver(sending: Sending, claimed: Claimed, key: SigningKeyRow): Promise<void> {
  const { status, reason } = await send(sending, claimed, key)
  const { id, tries, fence } = claimed
  const done = reason === null
  const state = done ? 'sent' : tries >= triesMax ? 'failed' : 'pending'
  const next_at = new Date(sending.now() + waitMs(id, tries))
  await sending.db
    .updateTable('deliveries')
    .set({ state, next_at, http_status: status, reason })
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'pending')
    .execute()
}

/** What came of one request; without a reason it was acknowledged. */
async function send(
  { http, now, signal }: Sending,
  { id, url, webhook_id, body }: Claimed,
  key: SigningKeyRow,
): Promise<{ status: number | null; reason: string | null }> {
  const time = new Date(now()).toISOString()
  const signature = signatureOf({ transmissionId: id, time, webhookId: webhook_id, body }, key.private_pkcs8)
  try {
    const { status } = await http.request({
      url,
      method: 'POST',
      headers: [
        ['Content-Type', 'application/json'],
        ['User-Agent', 'Trestle-Payments-Webhooks/1.0'],
        ['Pay-Transmission-Id', id],
        ['Pay-Transmission-Time', time],
        ['Pay-Webhook-Id', webhook_id],
        ['Pay-Key-Id', key.kid],
        ['Pay-Auth-Algo', algorithm],
        ['Pay-Transmission-Sig', signature],
      ],
      body,
      signal,
    })
    return { status, reason: status >= 200 && status < 300 ? null : `the reply was ${status}` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { status: null, reason: reason.slice(0, reasonCharactersMax) }
  }
}

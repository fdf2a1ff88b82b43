import { type Kysely, sql } from 'kysely'
import type { Log } from 'trestle/service'
import { type Claimed, type Claiming, claim, leaseMs } from './claim.ts'
import { longestWaitMs, triesMax, waitMs } from './retry.ts'
import { type Requesting, send } from './send.ts'
import { currentKey } from './signing-keys.ts'
import type { SigningKeyRow, WebhooksTables } from './tables.ts'

/** What a run of the sender needs. */
export interface Sending extends Claiming, Requesting {
  readonly log: Pick<Log, 'info'>
}

/** After which a run takes nothing more. */
const runMaxMs = 20_000

/** Sends what is due, until nothing is or the time is over. Answers how many requests it made. */
export async function deliverDue(sending: Sending): Promise<number> {
  const { now, signal } = sending
  const running = new Map<Promise<void>, string>()
  const complained = new Set<string>()
  const until = now() + runMaxMs
  let key: SigningKeyRow | undefined
  let sent = 0
  while (!signal.aborted) {
    const before = [...running.values()]
    const claimed = now() < until ? await claim(sending, before) : []
    if (claimed.length > 0) key ??= await currentKey(sending.db)
    for (const one of claimed) {
      sent++
      const going = deliver(sending, one, key as SigningKeyRow, complained).finally(() => running.delete(going))
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
 * Makes due what waits longer than anything can: the clock was put back. Answers how many those were. Only what a test has made
 * late is due later than it was made before its first try; it stays late.
 */
export async function mindTheClock(db: Kysely<WebhooksTables>, now: number): Promise<number> {
  const all = Array.from({ length: triesMax + 1 }, (_, tries) => tries)
  const latest = all.map((tries) => new Date(now + Math.max(leaseMs, longestWaitMs(tries))))
  const { numAffectedRows } = await sql`
    update deliveries
    set next_at = ${new Date(now)}
    from unnest(${all}::integer[], ${latest}::timestamptz[]) as bound (tries, latest)
    where state = 'pending' and deliveries.tries = bound.tries and next_at > bound.latest
      and not (deliveries.tries = 0 and next_at > created_at)
  `.execute(db)
  return Number(numAffectedRows)
}

/** @param complained the webhooks of which the log has been told in this run: one that is down must not fill it */
async function deliver(sending: Sending, claimed: Claimed, key: SigningKeyRow, complained: Set<string>): Promise<void> {
  const { status, reason, cause } = await send(sending, claimed, key)
  const { id, webhook_id, tries, fence } = claimed
  if (cause !== undefined && !complained.has(webhook_id)) {
    complained.add(webhook_id)
    sending.log.info({ delivery: id, webhook: webhook_id, tries, err: cause }, 'a delivery was not made')
  }
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

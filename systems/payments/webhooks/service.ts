import { type Kysely, sql } from 'kysely'
import { guardedHttp } from 'trestle/http'
import { type Caller, implement, reply } from 'trestle/service'
import { postgres } from 'trestle/store'
import { privateWebhooksAllowed, switchesAreOn } from '../development.ts'
import { eventTypes, orders } from '../orders/contract.ts'
import { switches } from '../switches/contract.ts'
import { transmissionsMax, webhooks, webhooksMax } from './contract.ts'
import { deliverDue, mindTheClock } from './deliver.ts'
import { disturbNew } from './disturb.ts'
import { recordEvent } from './record.ts'
import { ensureKey, publicKeys, rotateKey as rotate } from './signing-keys.ts'
import type { EventRow, WebhooksTables } from './tables.ts'
import { eventOf, transmissionOf, webhookOf } from './views.ts'

const impl = implement(webhooks, {
  uses: { switches },
  store: postgres<WebhooksTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

/** How long events and their deliveries can be looked up, milliseconds. */
const keptMs = 30 * 86_400_000
const requestTimeoutMs = 5_000
const replyMaxBytes = 65_536
const forgottenPerRunMax = 10_000

const allowPrivateNetworks = privateWebhooksAllowed()
const onlyDisturbed = switchesAreOn()

const create = impl.handler('create', async ({ input, caller, store, fail, newId, now }) => {
  const merchant_id = merchantOf(caller)
  if (!mayBeAsked(input.url)) return fail('webhook_url_refused')
  const event_types = [...new Set(input.event_types.map(({ name }) => name))]
  const row = { id: newId(), merchant_id, url: input.url, event_types, created_at: new Date(now()) }
  return await store.transaction(async ({ db }) => {
    // One after the other for each merchant: two at once would both find room.
    await sql`select pg_advisory_xact_lock(hashtextextended(${merchant_id}, 0))`.execute(db)
    const others = await db.selectFrom('webhooks').select('url').where('merchant_id', '=', merchant_id).execute()
    if (others.some(({ url }) => url === input.url)) return fail('webhook_url_already_exists')
    if (others.length >= webhooksMax) return fail('webhook_number_limit_exceeded')
    await db.insertInto('webhooks').values(row).execute()
    return webhookOf(row)
  })
})

const list = impl.handler('list', async ({ caller, store }) => {
  const rows = await webhooksOf(store.db, caller).orderBy('created_at').orderBy('id').execute()
  return { webhooks: rows.map(webhookOf) }
})

const find = impl.handler('find', async ({ input, caller, store, fail }) => {
  const row = await webhooksOf(store.db, caller).where('id', '=', input.webhook_id).executeTakeFirst()
  return row === undefined ? fail('webhook_not_found') : webhookOf(row)
})

const remove = impl.handler('remove', ({ input, caller, store, fail }) =>
  store.transaction(async ({ db }) => {
    const { webhook_id } = input
    const removed = await db
      .deleteFrom('webhooks')
      .where('id', '=', webhook_id)
      .where('merchant_id', '=', merchantOf(caller))
      .executeTakeFirst()
    if (removed.numDeletedRows === 0n) fail('webhook_not_found')
    await db
      .updateTable('deliveries')
      .set({ state: 'failed', reason: 'the webhook was removed' })
      .where('webhook_id', '=', webhook_id)
      .where('state', '=', 'pending')
      .execute()
  }),
)

const listEvents = impl.handler('listEvents', async ({ input, caller, store }) => {
  const { page_size, event_type, before } = input
  let rows = store.db.selectFrom('events').select(['id', 'body']).where('merchant_id', '=', merchantOf(caller))
  if (event_type !== undefined) rows = rows.where('event_type', '=', event_type)
  // Ids are made in the order of time.
  if (before !== undefined) rows = rows.where('id', '<', before)
  const found = await rows.orderBy('id', 'desc').limit(page_size).execute()
  const last = found.length < page_size ? undefined : found.at(-1)
  const query = new URLSearchParams({
    page_size: String(page_size),
    ...(event_type === undefined ? {} : { event_type }),
    before: last?.id ?? '',
  })
  const next = { href: `/v1/notifications/webhooks-events?${query.toString()}`, rel: 'next', method: 'GET' as const }
  return { events: found.map(eventOf), count: found.length, links: last === undefined ? [] : [next] }
})

const findEvent = impl.handler('findEvent', async ({ input, caller, store, fail }) => {
  const event = (await eventFor(store.db, caller, input.event_id)) ?? fail('event_not_found')
  return await withTransmissions(store.db, event)
})

const resend = impl.handler('resend', async ({ input, caller, store, fail, newId, now }) => {
  const event = (await eventFor(store.db, caller, input.event_id)) ?? fail('event_not_found')
  const own = await webhooksOf(store.db, caller).execute()
  const asked = input.webhook_ids
  if (asked?.some((id) => !own.some((webhook) => webhook.id === id))) return fail('webhook_not_found')
  const wanted = own.filter(({ id, event_types }) =>
    asked === undefined ? event_types.some((name) => name === '*' || name === event.event_type) : asked.includes(id),
  )
  if (wanted.length === 0) return fail('nothing_to_resend')
  const at = new Date(now())
  const rows = wanted.map(({ id, url }) => ({
    id: newId(),
    event_id: event.id,
    webhook_id: id,
    url,
    next_at: at,
    created_at: at,
    // What is asked for by hand is not made late on purpose.
    disturbed: true,
  }))
  await store.transaction(async ({ db }) => {
    // One after the other for each event: two at once would both find room.
    await db.selectFrom('events').select('id').where('id', '=', event.id).forUpdate().execute()
    const before = await db.selectFrom('deliveries').select('id').where('event_id', '=', event.id).execute()
    if (before.length + rows.length > transmissionsMax) fail('too_many_resends')
    await db.insertInto('deliveries').values(rows).execute()
  })
  return reply(202, await withTransmissions(store.db, event))
})

const keys = impl.handler('keys', async ({ store, now }) => ({ keys: await publicKeys(store.db, now()) }))

const rotateKey = impl.handler('rotateKey', async ({ store, newId, now }) => {
  const { kid } = await rotate(store, newId, now())
  return { kid }
})

export default impl.service({
  handlers: { create, list, find, remove, listEvents, findEvent, resend, keys, rotateKey },
  on: [
    // One subscription to all of them: what happened to an order is written down in its order.
    impl.on(Object.values(orders.events), ({ event, meta, tx, now }) =>
      recordEvent(tx.db, eventTypes[meta.type], event, meta, now()),
    ),
  ],
  start: ({ store, newId, now }) => ensureKey(store.db, newId, now()),
  jobs: [
    impl.every('500 milliseconds', 'deliver', async ({ store, call, now, signal, log }) => {
      const { db } = store
      if (onlyDisturbed) await disturbNew(db, () => call.switches.takeDelivery({}), now)
      const http = guardedHttp({ allowPrivateNetworks, timeoutMs: requestTimeoutMs, bodyMaxBytes: replyMaxBytes })
      try {
        const sent = await deliverDue({ db, http, now, signal, onlyDisturbed, log })
        if (sent > 0) log.info({ sent }, 'made deliveries')
      } finally {
        await http.close()
      }
    }),
    impl.every('30 seconds', 'mind-the-clock', async ({ store, now, log }) => {
      const found = await mindTheClock(store.db, now())
      if (found > 0) log.warn({ found }, 'deliveries waited for a time that the clock was put back from')
    }),
    impl.every('10 minutes', 'forget-old-events', async ({ store, now }) => {
      const before = new Date(now() - keptMs)
      const old = store.db.selectFrom('events').select('id').where('created_at', '<', before).limit(forgottenPerRunMax)
      const forgotten = await store.db.deleteFrom('events').where('id', 'in', old).executeTakeFirst()
      // Until there is no more: at any fixed rate a system in which more happens than that would grow for ever.
      return forgotten.numDeletedRows === BigInt(forgottenPerRunMax) ? 'again' : undefined
    }),
  ],
})

/** The scope `webhooks` is given to clients of merchants alone. */
function merchantOf({ kind, tenant }: Caller): string {
  return (kind === 'key' ? tenant : undefined) ?? ''
}

function webhooksOf(db: Kysely<WebhooksTables>, caller: Caller) {
  return db.selectFrom('webhooks').selectAll().where('merchant_id', '=', merchantOf(caller))
}

function eventFor(db: Kysely<WebhooksTables>, caller: Caller, id: string): Promise<EventRow | undefined> {
  return db
    .selectFrom('events')
    .selectAll()
    .where('id', '=', id)
    .where('merchant_id', '=', merchantOf(caller))
    .executeTakeFirst()
}

async function withTransmissions(db: Kysely<WebhooksTables>, event: EventRow) {
  const rows = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('event_id', '=', event.id)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return { ...eventOf(event), transmissions: rows.map(transmissionOf) }
}

/** Where nothing may lead inside, it is asked over TLS. Addresses behind names are checked when they are asked. */
function mayBeAsked(url: string): boolean {
  const { protocol, username, password } = new URL(url)
  const schemes = allowPrivateNetworks ? ['https:', 'http:'] : ['https:']
  return username === '' && password === '' && schemes.includes(protocol)
}

import { sql } from 'kysely'
import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import switchesService from '../switches/service.ts'
import { type Received, type Receiver, startReceiver } from '../testing/receiver.ts'
import { transmissionsMax, webhooks, webhooksMax } from './contract.ts'
import type { EventType } from './contract.ts'
import { recordEvent } from './record.ts'
import { triesMax } from './retry.ts'
import webhooksService from './service.ts'
import type { WebhooksTables } from './tables.ts'
import { verifyDelivery } from './verify-delivery.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([webhooksService, switchesService])
})
afterAll(() => services?.[Symbol.asyncDispose]())

const eventually = { timeout: 60_000, interval: 20 }
let merchant = ''
let merchantsMade = 0
let receiver: Receiver
beforeEach(async () => {
  merchant = `merchant-${++merchantsMade}`
  receiver = await startReceiver()
})
afterEach(() => receiver?.[Symbol.asyncDispose]())

const as = (tenant: string) => {
  const caller: Caller = { kind: 'key', id: 'client', tenant, scopes: ['webhooks'] }
  return services.client(webhooks, caller)
}
const own = () => as(merchant)
const db = () => services.store<WebhooksTables>('webhooks').db
const code = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? 'ok' : result.error?.code)
const register = (names: (EventType | '*')[] = ['*'], url = receiver.url) =>
  own().create({ url, event_types: names.map((name) => ({ name })) })

let eventsMade = 0
/** As if the orders service had told it. */
async function happens(type: EventType = 'PAYMENT.CAPTURE.COMPLETED', merchantId = merchant): Promise<string> {
  const id = `01980000-0000-7000-8000-${String(++eventsMade).padStart(12, '0')}`
  const meta = { id, occurredAt: Date.parse('2026-11-21T08:00:00Z') }
  await services
    .store<WebhooksTables>('webhooks')
    .transaction((tx) => recordEvent(tx.db, type, { merchantId, resource: { id: 'x' } }, meta, now()))
  return id
}
let passed = 0
const now = () => Date.now() + passed
const pass = (ms: number) => {
  passed += ms
  services.pass(ms)
}
const send = () => services.runJob('webhooks', 'deliver')
const stateOf = async (event_id: string) => (await own().findEvent({ event_id })).transmissions

describe('a webhook', () => {
  it('is registered, found, listed and removed by its own merchant alone', async () => {
    const made = await register(['PAYMENT.CAPTURE.COMPLETED', 'PAYMENT.CAPTURE.COMPLETED'])
    expect(made).toMatchObject({ url: receiver.url, event_types: [{ name: 'PAYMENT.CAPTURE.COMPLETED' }] })
    const byId = { webhook_id: made.id }
    expect(await own().find(byId)).toEqual(made)
    expect(await own().list({})).toEqual({ webhooks: [made] })
    const stranger = as('somebody-else')
    expect(code(await stranger.find.try(byId))).toBe('webhook_not_found')
    expect(code(await stranger.remove.try(byId))).toBe('webhook_not_found')
    expect((await stranger.list({})).webhooks).toEqual([])
    await own().remove(byId)
    expect(code(await own().remove.try(byId))).toBe('webhook_not_found')
  })

  it('is one for each URL, and at most ten, however many are registered at once', async () => {
    const tries = await Promise.all(
      Array.from({ length: webhooksMax + 3 }, (_, n) =>
        own().create.try({ url: `${receiver.url}/${n}`, event_types: [{ name: '*' }] }),
      ),
    )
    expect(tries.filter(({ ok }) => ok).length).toBe(webhooksMax)
    expect(code(tries.find(({ ok }) => !ok) ?? { ok: true })).toBe('webhook_number_limit_exceeded')
    const again = { url: `${receiver.url}/0`, event_types: [{ name: '*' as const }] }
    const known = (await own().list({})).webhooks[0]
    expect(code(await own().create.try({ ...again, url: known?.url ?? '' }))).toBe('webhook_url_already_exists')
  })

  it.each(['ftp://example.org/', 'nowhere', 'http://user@example.org/'])('does not lead to %s', async (url) => {
    expect(code(await own().create.try({ url, event_types: [{ name: '*' }] }))).toMatch(
      /invalid_input|webhook_url_refused/,
    )
  })
})

describe('an event', () => {
  it('is delivered once to each webhook that wants such, signed, with the bytes that can be looked up', async () => {
    const all = await register()
    const refunds = await own().create({
      url: `${receiver.url}/r`,
      event_types: [{ name: 'PAYMENT.CAPTURE.REFUNDED' }],
    })
    await as('somebody-else').create({ url: `${receiver.url}/e`, event_types: [{ name: '*' }] })
    const id = await happens()
    await send()
    await send()
    expect(receiver.received.map(({ event }) => event.id)).toEqual([id])
    const { headers, body, event } = receiver.received[0] as Received
    expect(event).toMatchObject({
      event_type: 'PAYMENT.CAPTURE.COMPLETED',
      create_time: '2026-11-21T08:00:00.000Z',
      resource_type: 'capture',
      resource: { id: 'x' },
    })
    const { keys } = await own().keys({})
    const delivery = { headers: (name: string) => headers[name] as string, body, keys, now: now() }
    expect(verifyDelivery({ ...delivery, webhookId: all.id })).toBe('genuine')
    expect(verifyDelivery({ ...delivery, webhookId: refunds.id })).toBe('not_genuine')
    expect(verifyDelivery({ ...delivery, webhookId: all.id, body: body.replace('"x"', '"y"') })).toBe('not_genuine')
    const { transmissions, ...found } = await own().findEvent({ event_id: id })
    expect(found).toEqual(event)
    expect(transmissions).toMatchObject([{ webhook_id: all.id, status: 'SUCCESS', tries: 1, http_status: 200 }])
    expect(transmissions[0]?.transmission_id).toBe(headers['pay-transmission-id'])
  })

  it('waits for a webhook that is down, longer each time, and is delivered when that is up', async () => {
    await register()
    receiver.answers(503)
    const id = await happens()
    for (let tries = 1; tries <= 4; tries++) {
      await send()
      await send()
      expect(receiver.received.length).toBe(tries)
      expect(await stateOf(id)).toMatchObject([
        { status: 'PENDING', tries, http_status: 503, reason: 'the reply was 503' },
      ])
      pass(1_000 * 2 ** (tries - 1))
    }
    receiver.answers(204)
    await send()
    expect(await stateOf(id)).toMatchObject([{ status: 'SUCCESS', tries: 5, http_status: 204, reason: null }])
    const transmissions = receiver.received.map(({ headers }) => headers['pay-transmission-id'])
    expect(new Set(transmissions).size).toBe(1)
  })

  it('does not wait for the hour by which the clock was put back', async () => {
    await register()
    receiver.answers(503)
    const ids = [await happens(), await happens()]
    await send()
    ids.push(await happens())
    const again = ids[0] as string
    await own().resend({ event_id: again })
    pass(-3_600_000)
    receiver.answers(200)
    await send()
    expect(receiver.received.length).toBe(2)
    await services.runJob('webhooks', 'mind-the-clock')
    await send()
    const sent = receiver.received.slice(2).map(({ event }) => event.id)
    expect(sent.length).toBe(4)
    expect(sent).toEqual(expect.arrayContaining(ids))
    expect(sent.filter((id) => id === again).length).toBe(2)
    pass(3_600_000)
  })

  it('is given up after so many tries', async () => {
    await register(['*'], 'http://127.0.0.1:1/')
    const id = await happens()
    for (let tries = 0; tries < triesMax; tries++) {
      await send()
      pass(6 * 3_600_000)
    }
    await send()
    expect(await stateOf(id)).toMatchObject([
      { status: 'FAILURE', tries: triesMax, http_status: null, next_try_time: null },
    ])
  })

  it('is sent again by somebody else when its sender died, and a late sender says nothing any more', async () => {
    await register()
    const id = await happens()
    receiver.answers('hang')
    const hanging = send()
    await expect.poll(() => receiver.received.length, eventually).toBe(1)
    await send()
    expect(receiver.received.length).toBe(1)
    pass(15_001)
    receiver.answers(200)
    await send()
    expect(receiver.received.length).toBe(2)
    receiver.hangUp()
    await hanging
    expect(await stateOf(id)).toMatchObject([{ status: 'SUCCESS', tries: 2, http_status: 200 }])
  })

  it('is sent by one of two senders at once', async () => {
    await register()
    await Promise.all(Array.from({ length: 10 }, () => happens()))
    await Promise.all([send(), send(), send()])
    expect(receiver.received.length).toBe(10)
    expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(10)
  })

  it('is not held up by a merchant all of whose webhooks hang', async () => {
    await using other = await startReceiver()
    other.answers('hang')
    for (let n = 0; n < webhooksMax; n++) {
      await as('hanging').create({ url: `${other.url}/${n}`, event_types: [{ name: '*' }] })
    }
    for (let n = 0; n < 10; n++) await happens('PAYMENT.CAPTURE.COMPLETED', 'hanging')
    await register()
    const id = await happens()
    const sending = send()
    await expect.poll(() => receiver.received.map(({ event }) => event.id), eventually).toEqual([id])
    other.answers(200)
    other.hangUp()
    await sending
  })

  it('is written down and delivered once, also when it is replayed', async () => {
    await register()
    const meta = { id: await happens(), occurredAt: now() }
    await send()
    const replayed = { merchantId: merchant, resource: { id: 'x' } }
    await services
      .store<WebhooksTables>('webhooks')
      .transaction((tx) => recordEvent(tx.db, 'PAYMENT.CAPTURE.COMPLETED', replayed, meta, now()))
    await send()
    expect(receiver.received.map(({ event }) => event.id)).toEqual([meta.id])
    expect(await stateOf(meta.id)).toMatchObject([{ status: 'SUCCESS', tries: 1 }])
  })

  it('goes no more to a webhook that was removed', async () => {
    const { id: webhook_id } = await register()
    const id = await happens()
    await own().remove({ webhook_id })
    await send()
    expect(receiver.received).toEqual([])
    expect(await stateOf(id)).toMatchObject([{ status: 'FAILURE', reason: 'the webhook was removed' }])
  })

  it('follows no redirect', async () => {
    await register()
    receiver.answers(302)
    const id = await happens()
    await send()
    expect(receiver.received.length).toBe(1)
    expect(await stateOf(id)).toMatchObject([{ status: 'PENDING', http_status: null }])
  })
})

describe('events', () => {
  it('are listed page by page, newest first, to their merchant alone', async () => {
    const ids = []
    for (let n = 0; n < 5; n++)
      ids.push(await happens(n % 2 === 0 ? 'PAYMENT.CAPTURE.COMPLETED' : 'PAYMENT.CAPTURE.REFUNDED'))
    const newest = ids.toReversed()
    const first = await own().listEvents({ page_size: 2 })
    expect(first.events.map(({ id }) => id)).toEqual(newest.slice(0, 2))
    const next = new URL(first.links[0]?.href ?? '', 'http://x').searchParams.get('before') ?? ''
    const second = await own().listEvents({ page_size: 3, before: next })
    expect(second.events.map(({ id }) => id)).toEqual(newest.slice(2))
    const refunds = await own().listEvents({ event_type: 'PAYMENT.CAPTURE.REFUNDED' })
    expect(refunds).toMatchObject({ count: 2, links: [] })
    expect((await as('somebody-else').listEvents({})).events).toEqual([])
    expect(code(await as('somebody-else').findEvent.try({ event_id: ids[0] ?? '' }))).toBe('event_not_found')
  })

  it('are sent again on demand, to all that want them or to those that are named', async () => {
    const { id: all } = await register()
    const { id: refunds } = await own().create({
      url: `${receiver.url}/r`,
      event_types: [{ name: 'PAYMENT.CAPTURE.REFUNDED' }],
    })
    const event_id = await happens()
    await send()
    const again = await own().resend({ event_id })
    expect(again.body.transmissions).toMatchObject([
      { webhook_id: all, status: 'SUCCESS' },
      { webhook_id: all, status: 'PENDING' },
    ])
    await send()
    expect(receiver.received.map(({ event }) => event.id)).toEqual([event_id, event_id])
    const bodies = new Set(receiver.received.map(({ body }) => body))
    expect(bodies.size).toBe(1)
    await own().resend({ event_id, webhook_ids: [refunds] })
    await send()
    expect(receiver.received.length).toBe(3)
    expect(code(await own().resend.try({ event_id, webhook_ids: [crypto.randomUUID()] }))).toBe('webhook_not_found')
    expect(code(await as('somebody-else').resend.try({ event_id }))).toBe('event_not_found')
    await own().remove({ webhook_id: all })
    expect(code(await own().resend.try({ event_id }))).toBe('nothing_to_resend')
  })

  it('are sent again on demand a bounded number of times, however many ask at once', async () => {
    for (let n = 0; n < webhooksMax; n++) await register(['*'], `${receiver.url}/${n}`)
    const event_id = await happens()
    const rounds = transmissionsMax / webhooksMax
    const tries = await Promise.all(Array.from({ length: rounds + 2 }, () => own().resend.try({ event_id })))
    expect(tries.filter(({ ok }) => ok).length).toBe(rounds - 1)
    for (const each of tries.filter(({ ok }) => !ok)) expect(code(each)).toBe('too_many_resends')
    expect((await stateOf(event_id)).length).toBe(transmissionsMax)
  })

  it('are forgotten after thirty days', async () => {
    const event_id = await happens()
    pass(30 * 86_400_000)
    await services.runJob('webhooks', 'forget-old-events')
    expect(code(await own().findEvent.try({ event_id }))).toBe('event_not_found')
    expect(await db().selectFrom('deliveries').selectAll().where('event_id', '=', event_id).execute()).toEqual([])
  })
})

describe('old events', () => {
  it('are all forgotten, however many there are', async () => {
    const body = '{}'
    const long = new Date(now() - 31 * 86_400_000)
    await sql`
      insert into events (id, merchant_id, event_type, body, created_at)
      select gen_random_uuid(), ${merchant}, 'PAYMENT.CAPTURE.COMPLETED', ${body}, ${long}::timestamptz from generate_series(1, 10001)
    `.execute(db())
    await services.runJob('webhooks', 'forget-old-events')
    expect(await db().selectFrom('events').select('id').where('merchant_id', '=', merchant).execute()).toEqual([])
  })
})

describe('signing keys', () => {
  it('change without a gap: what was signed before is still verified', async () => {
    const { id: webhookId } = await register()
    await happens()
    await send()
    const { kid } = await services.client(webhooks).rotateKey({})
    await happens()
    await send()
    const { keys } = await own().keys({})
    expect(keys.map((key) => key.kid)[0]).toBe(kid)
    expect(new Set(receiver.received.map(({ headers }) => headers['pay-key-id'])).size).toBe(2)
    for (const { headers, body } of receiver.received) {
      const delivery = { headers: (name: string) => headers[name] as string, body, keys, now: now(), webhookId }
      expect(verifyDelivery(delivery)).toBe('genuine')
    }
    expect(JSON.stringify(keys)).not.toContain('"d"')
    pass(30 * 86_400_000)
    expect((await own().keys({})).keys.map((key) => key.kid)).toEqual([kid])
  })
})

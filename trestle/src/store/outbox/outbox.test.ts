import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newTrace } from '../../std/trace-context.ts'
import type { OpenStore } from '../store.ts'
import {
  brief,
  orders,
  type OutboxFixture,
  publish,
  readNext,
  startOutboxFixture,
  type Tables,
} from './fixtures/outbox-fixture.ts'

let fixture: OutboxFixture
let store: OpenStore<Tables>

beforeAll(async () => {
  fixture = await startOutboxFixture()
  store = await fixture.open()
})
afterAll(() => fixture[Symbol.asyncDispose]())

const { placed, paid } = orders.events

describe('publishing', () => {
  it('leaves with the commit, and not without it', async () => {
    const trace = newTrace()
    const work = store.transaction(
      async (tx) => {
        await tx.db.insertInto('rows').values({ id: 1 }).execute()
        tx.publish(placed, { id: 'a' })
        return 'value'
      },
      { trace },
    )
    expect(await work).toBe('value')
    const refused = store.transaction(async (tx) => {
      tx.publish(placed, { id: 'b' })
      await tx.db.insertInto('rows').values({ id: 1 }).execute()
    })
    await expect(refused).rejects.toMatchObject({ code: '23505' })
    await publish(store, 'c')
    const events = await readNext(store, 2)
    expect(brief(events)).toEqual(['a1 placed', 'c1 placed'])
    expect(events[0]).toMatchObject({
      stream: 'orders@1',
      version: 1,
      payload: '{"id":"a","total":0}',
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}$/),
      traceparent: `00-${trace.traceId}-${trace.spanId}-01`,
    })
    expect(events[1]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(Math.abs(Date.now() - (events[0]?.occurredAt ?? 0))).toBeLessThan(600_000)
  })

  it('counts the versions of each key over all types, in the order of publishing', async () => {
    const fresh = await fixture.open()
    await fresh.transaction(async (tx) => {
      for (const id of ['b', 'a', 'b', 'c', 'b']) tx.publish(placed, { id })
      tx.publish(paid, { id: 'a' })
    })
    await fresh.transaction(async (tx) => tx.publish(paid, { id: 'b' }))
    const events = await readNext(fresh, 7, { max: 3 })
    expect(brief(events)).toEqual([
      'b1 placed',
      'a1 placed',
      'b2 placed',
      'c1 placed',
      'b3 placed',
      'a2 paid',
      'b4 paid',
    ])
    expect(events.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1, 3, 3])
  })

  it('keeps every character of keys and payloads, one by one and together', async () => {
    const fresh = await fixture.open()
    const texts = ['{"}\\', "a'b,c", 'é😀\u2028', '\n\t\r', 'NULL', '{a}', ' x ', '\u0001', 'x\ny']
    for (const id of texts) await fresh.transaction(async (tx) => tx.publish(placed, { id, note: `${id}\n\u0000` }))
    await fresh.transaction(async (tx) => {
      for (const id of texts) tx.publish(placed, { id, note: `${id}\n\u0000` })
    })
    const events = await readNext(fresh, 18)
    expect(events.map(({ key }) => key)).toEqual([...texts, ...texts])
    for (const { key, payload = '' } of events) {
      expect(JSON.parse(payload)).toEqual({ id: key, total: 0, note: `${key}\n\u0000` })
    }
    expect(events.map(({ keyVersion }) => keyVersion)).toEqual([...texts.map(() => 1), ...texts.map(() => 2)])
  })

  it.each<[string, unknown, string]>([
    ['what the contract does not allow', { id: 'a', total: 'x' }, '/total'],
    ['a payload without its key', {}, '/id'],
    ['an empty key', { id: '' }, '/id'],
    ['a key that a database cannot hold', { id: 'a\0' }, '/id'],
    ['half a character as key', { id: '\ud800' }, '/id'],
    ['a key that is too long', { id: 'x'.repeat(513) }, '/id'],
    ['a payload that is too large', { id: 'a', note: 'x'.repeat(1_000_000) }, ''],
  ])('refuses %s, and the transaction is rolled back', async (_, payload, pointer) => {
    const work = store.transaction(async (tx) => {
      await tx.db.insertInto('rows').values({ id: 77 }).execute()
      tx.publish(placed, payload as never)
    })
    await expect(work).rejects.toMatchObject({
      code: 'event_invalid',
      message: expect.stringContaining('orders.placed'),
      details: { faults: [expect.objectContaining({ pointer })] },
    })
    expect(await store.db.selectFrom('rows').where('id', '=', 77).selectAll().execute()).toEqual([])
  })

  it('refuses an event of a contract that the service does not implement: nobody would read it', async () => {
    const own = fixture.openBeside(store, { publishes: new Set(['bills@1', 'bills@2']) })
    await expect(publish(own, 'foreign')).rejects.toMatchObject({
      code: 'event_invalid',
      message: expect.stringContaining(
        'of orders@1, which this service does not implement (its own: bills@1, bills@2)',
      ),
    })
    await publish(fixture.openBeside(store, { publishes: new Set(['orders@1']) }), 'own')
  })

  it('takes no more events than its bound in one transaction', async () => {
    const work = store.transaction(async (tx) => {
      for (let index = 0; index <= 10_000; index += 1) tx.publish(placed, { id: 'many' })
    })
    await expect(work).rejects.toMatchObject({ code: 'event_invalid', message: expect.stringContaining('10000') })
  })

  it('takes no more bytes than its bound in one transaction, whatever is in them', async () => {
    const work = store.transaction(async (tx) => {
      for (let index = 0; index < 34; index += 1) tx.publish(placed, { id: 'large', note: 'ä'.repeat(499_900) })
    })
    await expect(work).rejects.toMatchObject({ code: 'event_invalid', message: expect.stringContaining('32 MiB') })
  })

  it('takes as many events as its bound allows, under keys as long as may be, and they are read', async () => {
    const fresh = await fixture.open()
    const keys = Array.from({ length: 10_000 }, (_, n) => String(n % 9_000).padStart(512, '漢'))
    await fresh.transaction(async (tx) => {
      for (const id of keys) tx.publish(placed, { id })
    })
    const events = await readNext(fresh, 10_000, { max: 1_000 })
    expect(events.map(({ key }) => key)).toEqual(keys)
  })

  it('of many large events at once can be read a few at a time, and none is passed over', async () => {
    const fresh = await fixture.open()
    const ids = Array.from({ length: 30 }, (_, n) => `large-${n}`)
    await fresh.transaction(async (tx) => {
      for (const id of ids) tx.publish(placed, { id, note: 'x'.repeat(999_900) })
    })
    const all = { stream: placed.contractId, after: undefined, max: 1_000 }
    await readNext(fresh, 1)
    const first = await fresh.feed.read(all)
    expect(first.events.length).toBe(9)
    expect(first.caughtUp).toBe(false)
    expect((await fresh.feed.read({ ...all, types: [] })).events.length).toBe(30)
    const events = await readNext(fresh, 30, { max: 1_000 })
    expect(events.map(({ key }) => key)).toEqual(ids)
  })

  it('is over when the transaction is', async () => {
    const kept = await store.transaction(async (tx) => tx)
    expect(() => kept.publish(placed, { id: 'late' })).toThrow('The transaction is over')
  })

  it('is told to those who listen, after the commit', async () => {
    const told = Promise.withResolvers<string>()
    const end = store.feed.onPublished(() => told.resolve('told'))
    await publish(store, 'told')
    expect(await told.promise).toBe('told')
    end()
  })

  it('of X, Y against Y, X does not deadlock', async () => {
    const fresh = await fixture.open()
    const rounds = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ['x', 'y', 'z'] : ['z', 'y', 'x']))
    await Promise.all(rounds.map((ids) => publish(fresh, ...ids)))
    const events = await readNext(fresh, 120, { max: 7 })
    for (const key of ['x', 'y', 'z']) {
      const versions = events.filter((event) => event.key === key).map(({ keyVersion }) => keyVersion)
      expect(versions).toEqual(rounds.map((_, index) => index + 1))
    }
  })
})

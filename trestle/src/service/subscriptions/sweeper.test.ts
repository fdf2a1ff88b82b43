import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { Tx } from '../../store/store.ts'
import { replay } from './operate.ts'
import {
  handBus,
  type InboxHarness,
  useInboxHarness,
  type InboxTables,
  moveOf,
  moves,
} from './fixtures/inbox-harness.ts'

const definition = (batchMax: number): SubscriptionDefinition => ({
  name: 'moves',
  events: [moves.events.moved],
  mode: 'transaction',
  batchMax,
  from: 'earliest',
  triesMax: 3,
  concurrencyMax: 4,
  async run(deliveries, { tx }) {
    const rows = deliveries.map(({ event }) => event as InboxTables['effects'])
    await (tx as Tx<InboxTables>).db.insertInto('effects').values(rows).execute()
  },
})

describe('the sweeper', () => {
  let harness: InboxHarness
  useInboxHarness((made) => (harness = made))

  const counts = async () => {
    const { rows } = await sql<{ events: number; keys: number }>`
      select (select count(*)::integer from trestle.inbox) as events,
        (select count(*)::integer from trestle.inbox_keys) as keys`.execute(harness.store.db)
    return rows[0]
  }
  const numbers = async () => (await harness.effects()).map(({ key, n }) => `${key}${n}`)
  /** Lets time pass for what has been handled under a key. */
  const pass = async (key: string, days: number) => {
    await sql`update trestle.inbox set handled_at = handled_at - ${days} * interval '1 day' where key = ${key}`.execute(
      harness.store.db,
    )
    await sql`update trestle.inbox_keys set moved_at = moved_at - ${days} * interval '1 day' where key = ${key}`.execute(
      harness.store.db,
    )
  }
  /** Resolves when the sweeper has come by: what lies longer is gone. The events of these tests are of the year 2024. */
  const swept = async () => {
    await sql`
      insert into trestle.inbox (subscription, generation, event_id, state, key, key_version, handled_at)
      values (0, 1, '01910000-0000-7000-8000-000000000000', 1, 'mark', 1, now() - interval '1 year')`.execute(
      harness.store.db,
    )
    const marks = async () =>
      (await sql`select 1 from trestle.inbox where key = 'mark'`.execute(harness.store.db)).rows.length
    await expect.poll(marks, { timeout: 10_000, interval: 5 }).toBe(0)
  }

  it.each([
    ['one by one', 1],
    ['in batches', 100],
  ])('remembers an old event from when it was handled, so that it can come again, %s', async (_, batchMax) => {
    const { bus } = await harness.start([definition(batchMax)], { limits: { sweepMs: 10, sweepMax: 1_000 } })
    const { sink } = bus.consumer('moves')
    const events = [moveOf('a', 1), moveOf('a', 2)]
    await sink.accept(events, undefined)
    await expect.poll(numbers, { timeout: 10_000 }).toEqual(['a1', 'a2'])
    await swept()
    await sink.accept(events, undefined)
    await sink.accept([moveOf('a', 3)], undefined)
    await expect.poll(numbers, { timeout: 10_000 }).toEqual(['a1', 'a2', 'a3'])
    expect(await counts()).toEqual({ events: 3, keys: 1 })
  })

  it('forgets events after the time of memory, a key after twice that time, and the key may come again', async () => {
    const { bus } = await harness.start([definition(1)], { limits: { sweepMs: 10 } })
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('a', 1), moveOf('a', 2)], undefined)
    // Nobody wants the last one: the key stands behind every event that is remembered of it.
    await sink.accept([moveOf('a', 3, { payload: undefined, type: 'seen' }), moveOf('b', 1)], undefined)
    await expect.poll(async () => (await harness.effects()).length, { timeout: 10_000 }).toBe(3)
    await pass('a', 15)
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ events: 1, keys: 2 })
    await pass('a', 15)
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ events: 1, keys: 1 })
    await sink.accept([moveOf('a', 4)], undefined)
    await expect.poll(async () => (await harness.effects()).length, { timeout: 10_000 }).toBe(4)
  })

  it('forgets no key where the bus does not keep the order of keys', async () => {
    const bus = handBus({ order: 'none' })
    await harness.start([definition(1)], { bus, limits: { sweepMs: 10 } })
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await expect.poll(numbers, { timeout: 10_000 }).toEqual(['a1'])
    await pass('a', 100)
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ events: 0, keys: 1 })
    await swept()
    await bus.consumer('moves').sink.accept([moveOf('a', 2)], undefined)
    await expect.poll(numbers, { timeout: 10_000 }).toEqual(['a1', 'a2'])
    expect((await counts())?.keys).toBe(1)
  })

  it.each([
    ['keeps', 'stream'],
    ['does not keep', 'none'],
  ] as const)('forgets what was before a replay where the bus %s the order of keys, once', async (_, order) => {
    const { db } = harness.store
    const bus = handBus({ order })
    const limits = { sweepMs: 10, sweepMax: 2 }
    const { running } = await harness.start([definition(1)], { bus, limits })
    const { sink } = bus.consumer('moves')
    await sink.accept([1, 2, 3, 4, 5].map((n) => moveOf('a', n)).concat(moveOf('b', 1)), undefined)
    await expect.poll(async () => (await numbers()).length, { timeout: 10_000 }).toBe(6)
    await sql`update trestle.inbox set event_id = overlay(event_id::text placing '02' from 1)::uuid`.execute(db)
    await replay(harness.store, { subscription: 'moves', sinceMs: undefined, reason: 'the report was wrong' })
    await running.poll()
    await sink.accept([moveOf('c', 1)], undefined)
    await expect.poll(counts, { timeout: 20_000 }).toEqual({ events: 1, keys: 1 })
    const noted = async () =>
      (await sql`select events_swept, keys_swept from trestle.subscriptions`.execute(db)).rows[0]
    await expect.poll(noted, { timeout: 20_000 }).toEqual({ events_swept: 2, keys_swept: 2 })
  })

  it('says once, not each time, that it cannot delete anything, and goes on when it can', async () => {
    const { db } = harness.store
    // A sequence counts also what is rolled back.
    await sql`create sequence trestle.refused`.execute(db)
    await sql`
      create function trestle.refuse() returns trigger language plpgsql as $$
      begin
        raise 'the disk is full, %', nextval('trestle.refused');
      end $$`.execute(db)
    await sql`
      create trigger refuse before delete on trestle.inbox for each row execute function trestle.refuse()`.execute(db)
    const refused = async () =>
      Number(
        (await sql<{ last_value: string }>`select last_value from trestle.refused`.execute(db)).rows[0]?.last_value,
      )
    try {
      const { bus } = await harness.start([definition(1)], { limits: { sweepMs: 5 } })
      await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
      await expect.poll(numbers, { timeout: 10_000 }).toEqual(['a1'])
      await pass('a', 20)
      await expect.poll(refused, { timeout: 10_000, interval: 5 }).toBeGreaterThan(3)
    } finally {
      await sql`drop function trestle.refuse cascade`.execute(db)
    }
    expect(harness.logs.filter(({ message }) => message.includes('could not be deleted'))).toMatchObject([
      { level: 'warn', fields: { unsaid: 0, err: { message: expect.stringContaining('the disk is full') } } },
    ])
    await expect.poll(counts, { timeout: 10_000 }).toEqual({ events: 0, keys: 1 })
  })
})

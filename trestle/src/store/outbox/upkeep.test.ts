import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { sql } from '../index.ts'
import type { OpenStore } from '../store.ts'
import type { EventPosition } from './event-envelope.ts'
import type { Ask } from './feed-rows.ts'
import {
  brief,
  orders,
  type OutboxFixture,
  publish,
  readNext,
  startOutboxFixture,
  type Tables,
} from './fixtures/outbox-fixture.ts'
import { HeldWatch } from './held-watch.ts'
import { Outbox } from './outbox.ts'
import { ReaderPlaces } from './reader-places.ts'
import { defaultOutboxLimits, Upkeep } from './upkeep.ts'

let fixture: OutboxFixture

beforeAll(async () => {
  fixture = await startOutboxFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** A log that remembers each line with its fields. */
function lines() {
  const said: Record<string, unknown>[] = []
  const note = (fields: Readonly<Record<string, unknown>>, message: string) => void said.push({ ...fields, message })
  return { said, log: { info: note, warn: note, error: note } }
}

function upkeepOf(store: OpenStore<Tables>, limits = defaultOutboxLimits) {
  const { said, log } = lines()
  const places = new ReaderPlaces()
  const outbox = new Outbox(() => 0)
  const upkeep = new Upkeep({
    ask: (text, parameters) => store.statement('read', text, parameters),
    write: (text, parameters) => store.statement('write', text, parameters),
    inTransaction: (work) =>
      store.transaction((tx) =>
        work((text, parameters) => tx.db.executeQuery(CompiledQuery.raw(text, [...parameters])) as never),
      ),
    outbox,
    places,
    limits,
    clock: virtualClock(),
    log,
  })
  return { upkeep, said, places, outbox }
}

/** Publishes one event on each of these days of the past. */
async function publishOn(store: OpenStore<Tables>, days: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, day] of Object.entries(days)) {
    await publish(store, key)
    await sql`update trestle.outbox set published_at = ${`${day}T12:00:00Z`}::timestamptz where key = ${key}`.execute(
      store.db,
    )
  }
  await readNext(store, Object.keys(days).length)
}

async function partitionsOf(store: OpenStore<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'trestle.outbox'::regclass
    order by 1`.execute(store.db)
  return rows.map(({ name }) => name.replace('trestle.outbox_', ''))
}

describe('the partitions of an outbox', () => {
  it('are there for the next days from the start', async () => {
    const store = await fixture.open()
    const partitions = await partitionsOf(store)
    expect(partitions).toHaveLength(4)
    expect(partitions.at(-1)).toBe('rest')
    await publish(store, 'a')
    const { rows } = await sql`select from trestle.outbox_rest`.execute(store.db)
    expect(rows).toEqual([])
  })

  it('past their time are dropped when everybody has read them, and old places are known to be lost', async () => {
    const store = await fixture.open()
    await publishOn(store, { a: '2020-01-01', b: '2020-01-02', c: '2020-01-03' })
    const [a, b] = await readNext(store, 3)
    const { upkeep, said, places } = upkeepOf(store)
    places.note(orders.id, 'shipping/orders.placed', b?.position as EventPosition)
    await upkeep.tick()
    expect((await partitionsOf(store)).slice(0, 1)).toEqual(['20200103'])
    expect(brief(await readNext(store, 1))).toEqual(['c1 placed'])
    expect(said).toMatchObject([
      { message: 'events past their retention were dropped', partitions: ['outbox_20200101', 'outbox_20200102'] },
      { reader: 'shipping/orders.placed', stream: orders.id, partition: 'outbox_20200103' },
    ])
    // Another process, which does not know them any more.
    const beside = fixture.openBeside(store)
    const lost = beside.feed.read({ stream: orders.id, after: a?.position })
    await expect(lost).rejects.toMatchObject({ code: 'feed_position_lost' })
    expect(brief(await readNext(beside, 1, { after: b?.position }))).toEqual(['c1 placed'])
  })

  it('are kept as long as they are young, or not certain yet', async () => {
    const store = await fixture.open()
    await publishOn(store, { a: '2020-01-01' })
    await publish(store, 'b')
    const { upkeep } = upkeepOf(store)
    await sql`update trestle.outbox set feed_xid = '999999999999' where key = 'a'`.execute(store.db)
    await upkeep.tick()
    expect(await partitionsOf(store)).toHaveLength(5)
    await sql`update trestle.outbox set feed_xid = '9' where key = 'a'`.execute(store.db)
    await upkeep.retain()
    expect(await partitionsOf(store)).toHaveLength(4)
    expect(brief(await readNext(store, 1))).toEqual(['b1 placed'])
  })

  it('are no longer kept for a reader that has not been seen for a quarter of a year', async () => {
    const store = await fixture.open()
    await publishOn(store, { a: '2020-01-01' })
    await sql`insert into trestle.outbox_readers values (${orders.id}, 'gone', 0, '0', 0, now() - interval '91 days'),
      (${orders.id}, 'slow', 0, '0', 0, now() - interval '89 days')`.execute(store.db)
    const { upkeep, said } = upkeepOf(store)
    await upkeep.tick()
    await sql`delete from trestle.outbox_readers where reader = 'slow'`.execute(store.db)
    await upkeep.retain()
    expect(await partitionsOf(store)).toHaveLength(4)
    expect(said).toMatchObject([
      { reader: 'gone', message: expect.stringContaining('forgotten') },
      { reader: 'slow', partition: 'outbox_20200101' },
      { partitions: ['outbox_20200101'] },
    ])
  })
})

describe('a reader', () => {
  it('has its place written down, and its latest place when the store is closed', async () => {
    const store = await fixture.open()
    await publish(store, 'a', 'b')
    const beside = fixture.openBeside(store)
    const batch = await beside.feed.read({ stream: orders.id, after: undefined, waitMs: 60_000, reader: 'r' })
    await beside.feed.read({ stream: orders.id, after: batch.next, reader: 'r' })
    await beside.close()
    const { rows } = await sql`select stream, reader, epoch, xid, seq from trestle.outbox_readers`.execute(store.db)
    expect(rows).toEqual([{ stream: orders.id, reader: 'r', ...batch.next, epoch: String(batch.next.epoch) }])
  })
})

describe('an outbox that is full', () => {
  it('refuses what is published, and takes it again when there is room', async () => {
    const store = await fixture.open()
    const { upkeep, outbox } = upkeepOf(store, { ...defaultOutboxLimits, maxBytes: 1_000 })
    await upkeep.tick()
    expect(upkeep.bytes).toBeGreaterThan(1_000)
    const add = () => outbox.newBuffer().add(orders.events.placed, { id: 'a' })
    expect(add).toThrow(expect.objectContaining({ code: 'overloaded' }))
    const roomy = upkeepOf(store)
    await roomy.upkeep.tick()
    expect(() => roomy.outbox.newBuffer().add(orders.events.placed, { id: 'a' })).not.toThrow()
  })
})

describe('a feed that is held back', () => {
  it('is told once per transaction, with who holds it, and counted from when it was seen', async () => {
    const store = await fixture.open()
    const clock = virtualClock()
    const { said, log } = lines()
    const watch = new HeldWatch(clock, log)
    const ask: Ask = (text, parameters) => store.statement('read', text, parameters)
    const [open, end] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()]
    const holder = store.transaction(async (tx) => {
      const { rows } = await sql<{ xid: string }>`select pg_current_xact_id()::text as xid`.execute(tx.db)
      open.resolve(rows[0]?.xid ?? '')
      await end.promise
    })
    const xid = await open.promise
    await publish(store, 'a')
    // Transactions of other tests may be older: as if they had ended.
    const seen: Ask = async (text, parameters) => {
      const result = await ask(text, parameters)
      return text.includes('as held') ? { ...result, rows: [{ ...result.rows[0], xid }] } : result
    }
    await watch.check(seen)
    expect(watch.heldMs).toBe(0)
    await clock.advance(6_000)
    expect(watch.heldMs).toBe(6_000)
    await watch.check(seen)
    await watch.check(seen)
    expect(said).toMatchObject([{ heldMs: 6_000, xid, application: 'trestle', ageMs: expect.stringMatching(/^\d+$/) }])
    watch.saw({ epoch: 0, xid: '999999999', seq: '0' }, false)
    expect(watch.heldMs).toBe(0)
    end.resolve()
    await holder
  })
})

import { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpStore } from '../dump/dump-store.ts'
import { loadStore } from '../dump/load-store.ts'
import { sql } from '../index.ts'
import type { StoreConnection } from '../store.ts'
import type { EventEnvelope } from './event-envelope.ts'
import { brief, orders, type OutboxFixture, publish, readNext, startOutboxFixture } from './fixtures/outbox-fixture.ts'

let fixture: OutboxFixture

beforeAll(async () => {
  fixture = await startOutboxFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

async function dumpOf(connection: StoreConnection): Promise<Buffer> {
  const chunks: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await dumpStore(connection, 'any', sink)
  return Buffer.concat(chunks)
}

const placeOf = (events: readonly EventEnvelope[], index: number) => (events[index] as EventEnvelope).position

describe('a feed that was dumped and loaded', () => {
  it('keeps its events, and readers go on where they were', async () => {
    const source = await fixture.open()
    await publish(source, 'a', 'b', 'a')
    const before = await readNext(source, 3)
    const dumped = await dumpOf(fixture.connectionOf(source))
    const target = await fixture.open()
    await publish(target, 'gone')
    await loadStore(fixture.connectionOf(target), Readable.from([dumped]))
    expect(await target.migrate()).toEqual({ applied: [] })
    await publish(target, 'a', 'c')
    const after = await readNext(target, 5)
    expect(brief(after)).toEqual(['a1 placed', 'b1 placed', 'a2 placed', 'a3 placed', 'c1 placed'])
    expect(after.slice(0, 3)).toEqual(before)
    expect(placeOf(after, 3).epoch).toBeGreaterThan(placeOf(after, 2).epoch)
    expect(brief(await readNext(target, 4, { after: placeOf(before, 0) }))).toEqual(brief(after.slice(1)))
    expect(brief(await readNext(target, 2, { after: placeOf(before, 2) }))).toEqual(brief(after.slice(3)))
  })

  it('loses nothing for a reader that had read what the dump does not have', async () => {
    const store = await fixture.open()
    await publish(store, 'a')
    const dumped = await dumpOf(fixture.connectionOf(store))
    await publish(store, 'a', 'b')
    const [, , read] = await readNext(store, 3)
    const place = (read as EventEnvelope).position
    for (const id of ['x', 'y']) {
      // The same dump twice: what came between is of no past of the second time.
      await loadStore(fixture.connectionOf(store), Readable.from([dumped]))
      const fresh = fixture.openBeside(store)
      await publish(fresh, id)
      expect(brief(await readNext(fresh, 1, { after: place }))).toEqual([`${id}1 placed`])
      expect(brief(await readNext(fresh, 2))).toEqual(['a1 placed', `${id}1 placed`])
    }
  })

  it('finds the partitions of its days again', async () => {
    const store = await fixture.open()
    await publish(store, 'a', 'b')
    await sql`update trestle.outbox set published_at = '2020-02-03T10:00:00Z' where key = 'a'`.execute(store.db)
    const days = () =>
      sql<{ key: string; part: string }>`
        select key, tableoid::regclass::text as part from trestle.outbox order by key`.execute(store.db)
    expect((await days()).rows[0]).toEqual({ key: 'a', part: 'trestle.outbox_rest' })
    await sql`select trestle.make_outbox_partition('2020-02-03')`.execute(store.db)
    const { rows } = await days()
    expect(rows[0]).toEqual({ key: 'a', part: 'trestle.outbox_20200203' })
    expect(rows[1]?.part).toMatch(/^trestle\.outbox_20\d{6}$/)
    await loadStore(fixture.connectionOf(store), Readable.from([await dumpOf(fixture.connectionOf(store))]))
    expect((await days()).rows).toEqual(rows)
  })
})

describe('a database that stands elsewhere', () => {
  it('begins a new epoch with the first that publishes there', async () => {
    const store = await fixture.open()
    await publish(store, 'a')
    const [first] = await readNext(store, 1)
    await sql`update trestle.feed set identity = 'another server'`.execute(store.db)
    const fresh = fixture.openBeside(store)
    await publish(fresh, 'a', 'b')
    const events = await readNext(fresh, 3)
    expect(brief(events)).toEqual(['a1 placed', 'a2 placed', 'b1 placed'])
    expect(placeOf(events, 1).epoch).toBeGreaterThan((first as EventEnvelope).position.epoch)
    expect(placeOf(events, 1).epoch).toBe(placeOf(events, 2).epoch)
    await publish(fresh, 'c')
    const [last] = await readNext(fresh, 1, { after: placeOf(events, 2) })
    expect(last?.position.epoch).toBe(placeOf(events, 2).epoch)
  })

  it('is known by its cluster, its time line and its database, as a plain role sees them', async () => {
    const [one, other] = [await fixture.open(), await fixture.open()]
    const identity = async (store: typeof one) =>
      (await sql<{ identity: string }>`select identity from trestle.feed`.execute(store.db)).rows[0]?.identity
    const [mine, theirs] = [await identity(one), await identity(other)]
    expect(mine).toMatch(/^\d{10,}\/[0-9A-F]{8}\/\d+$/)
    expect(theirs).not.toBe(mine)
    expect(theirs?.split('/').slice(0, 2)).toEqual(mine?.split('/').slice(0, 2))
  })
})

describe('a place in the feed', () => {
  it('that the database has not reached is of a state that it was in once', async () => {
    const store = await fixture.open()
    await publish(store, 'a')
    const [{ position }] = (await readNext(store, 1)) as [EventEnvelope]
    const after = { ...position, xid: '999999999999' }
    const fresh = fixture.openBeside(store)
    const read = fresh.feed.read({ stream: orders.id, after })
    await expect(read).rejects.toMatchObject({
      code: 'feed_position_lost',
      message: expect.stringContaining('put back'),
    })
    const later = fresh.feed.read({ stream: orders.id, after: { ...position, epoch: position.epoch + 1 } })
    await expect(later).rejects.toMatchObject({ code: 'feed_position_lost' })
    const earlier = { ...after, epoch: position.epoch - 1 }
    expect(brief(await readNext(fresh, 1, { after: earlier }))).toEqual(['a1 placed'])
  })

  it('is found by time, and the head has nothing behind it', async () => {
    const store = await fixture.open()
    await publish(store, 'old')
    await sql`update trestle.outbox set published_at = '2020-02-03T10:00:00Z'`.execute(store.db)
    await publish(store, 'a')
    await publish(store, 'b')
    await readNext(store, 3)
    const at = async (text: string) => await store.feed.positionAt(Date.parse(text))
    expect(brief(await readNext(store, 3, { after: await at('2020-02-03T10:00:00Z') }))).toHaveLength(3)
    expect(brief(await readNext(store, 2, { after: await at('2020-02-03T10:00:01Z') }))).toEqual([
      'a1 placed',
      'b1 placed',
    ])
    for (const place of [() => store.feed.head(), () => at('2999-01-01T00:00:00Z')]) {
      const after = await place()
      expect((await store.feed.read({ stream: orders.id, after })).events).toEqual([])
      await publish(store, 'c')
      expect(await readNext(store, 1, { after })).toHaveLength(1)
    }
  })

  it('that is found by time is before what was being committed then', async () => {
    const store = await fixture.open()
    const [open, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const late = store.transaction(async (tx) => {
      await tx.db.insertInto('rows').values({ id: 1 }).execute()
      open.resolve()
      await goOn.promise
      tx.publish(orders.events.placed, { id: 'late' })
    })
    await open.promise
    const since = Date.now() - 60_000
    await publish(store, 'first')
    const after = await store.feed.positionAt(since)
    goOn.resolve()
    await late
    expect(brief(await readNext(store, 2, { after }))).toEqual(['late1 placed', 'first1 placed'])
  })
})

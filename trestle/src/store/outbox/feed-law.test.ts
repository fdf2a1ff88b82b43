import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../index.ts'
import type { OpenStore } from '../store.ts'
import type { EventEnvelope, EventPosition } from './event-envelope.ts'
import {
  brief,
  orders,
  type OutboxFixture,
  readNext,
  startOutboxFixture,
  type Tables,
} from './fixtures/outbox-fixture.ts'

const databases = 2
/** Fewer than a pool has connections: none waits for another one's end to begin. */
const transactionsMax = 5

let fixture: OutboxFixture
let stores: OpenStore<Tables>[]
let rows = 0

beforeAll(async () => {
  fixture = await startOutboxFixture()
  stores = await Promise.all(Array.from({ length: databases }, () => fixture.open()))
})
afterAll(() => fixture[Symbol.asyncDispose]())

const storeOf = (database: number) => stores[database] as OpenStore<Tables>

/** A transaction that is open until it is told to go on. */
function hold(store: OpenStore<Tables>, keys: readonly string[], { early, fails }: { early: boolean; fails: boolean }) {
  const [open, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const done = store
    .transaction(async (tx) => {
      rows += 1
      // Its first write gives a transaction its number: early or late.
      if (early) await tx.db.insertInto('rows').values({ id: rows }).execute()
      open.resolve()
      await goOn.promise
      for (const id of keys) tx.publish(orders.events.placed, { id })
      if (fails) throw new Error('rolled back')
    })
    .then(
      () => true,
      () => false,
    )
  return { open: Promise.race([open.promise, done]), finish: () => goOn.resolve(), done }
}

/** Follows a feed by its cursor, in small steps, while things happen, until `stop`; then it reads what is left. */
async function follow(
  store: OpenStore<Tables>,
  from: EventPosition | undefined,
  max: number,
  expected: () => number | undefined,
) {
  const events: EventEnvelope[] = []
  for (let after = from; ; ) {
    const batch = await store.feed.read({ stream: orders.id, after, max, waitMs: 20 })
    events.push(...batch.events)
    after = batch.next
    const count = expected()
    if (count !== undefined && events.length >= count && batch.events.length === 0) return events
  }
}

const transaction = fc.record({
  database: fc.nat({ max: databases - 1 }),
  keys: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
  early: fc.boolean(),
  fails: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  /** When it ends, compared with others. */
  rank: fc.nat({ max: 100 }),
  /** Whether the next one waits for its end. */
  waits: fc.boolean(),
})

describe('the law of the feed', () => {
  it('gives each committed event once, and the versions of each key from 1 without gaps, whoever commits when', async () => {
    const known = new Map<string, number>()
    const cursors: (EventPosition | undefined)[] = stores.map(() => undefined)
    const plans = fc.record({
      plan: fc.array(transaction, { minLength: 1, maxLength: transactionsMax }),
      max: fc.integer({ min: 1, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(plans, async ({ plan, max }) => {
        const committed = stores.map(() => 0)
        let over = false
        const readers = stores.map((store, index) =>
          follow(store, cursors[index], max, () => (over ? committed[index] : undefined)),
        )
        const held = plan.map((one) => ({ ...one, ...hold(storeOf(one.database), one.keys, one) }))
        await Promise.all(held.map(({ open }) => open))
        for (const { done, finish, waits } of held.toSorted((a, b) => a.rank - b.rank)) {
          finish()
          if (waits) await done
        }
        for (const { done, database, keys } of held) {
          if (await done) committed[database] = (committed[database] ?? 0) + keys.length
        }
        over = true
        for (const [index, events] of (await Promise.all(readers)).entries()) {
          cursors[index] = events.at(-1)?.position ?? cursors[index]
          expect(events.length).toBe(committed[index])
          expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
          for (const { key, keyVersion } of events) {
            const name = `${index} ${key}`
            expect({ name, keyVersion }).toEqual({ name, keyVersion: (known.get(name) ?? 0) + 1 })
            known.set(name, keyVersion)
          }
        }
      }),
      { numRuns: 25, endOnFailure: true },
    )
  }, 120_000)

  it('holds back what a late committer with a smaller number may still come before', async () => {
    const store = await fixture.open()
    const late = hold(store, ['b', 'a'], { early: true, fails: false })
    await late.open
    const quick = hold(store, ['a'], { early: true, fails: false })
    quick.finish()
    expect(await quick.done).toBe(true)
    const meanwhile = await store.feed.read({ stream: orders.id, after: undefined })
    expect(meanwhile.events).toEqual([])
    late.finish()
    expect(await late.done).toBe(true)
    const events = await readNext(store, 3, { after: meanwhile.next })
    // By the number of its transaction alone the second version of `a` would come first.
    expect(brief(events).toSorted()).toEqual(['a1 placed', 'a2 placed', 'b1 placed'])
    expect(events.filter(({ key }) => key === 'a').map(({ keyVersion }) => keyVersion)).toEqual([1, 2])
  })

  it('waits for open transactions of other databases of the cluster too', async () => {
    const [store, other] = [await fixture.open(), await fixture.open()]
    const open = hold(other, ['x'], { early: true, fails: true })
    await open.open
    const mine = hold(store, ['a'], { early: false, fails: false })
    mine.finish()
    await mine.done
    expect((await store.feed.read({ stream: orders.id, after: undefined })).events).toEqual([])
    open.finish()
    expect(brief(await readNext(store, 1))).toEqual(['a1 placed'])
  })

  it('brings a key of an earlier epoch into the new one, whatever its numbers were', async () => {
    const store = await fixture.open()
    const first = hold(store, ['a', 'b'], { early: false, fails: false })
    first.finish()
    await first.done
    const [, last] = await readNext(store, 2)
    // As after a move to a cluster that has counted far less.
    await sql`update trestle.outbox_keys set feed_xid = '999999999999'`.execute(store.db)
    await sql`update trestle.outbox set feed_xid = '999999999999'`.execute(store.db)
    await sql`update trestle.feed set epoch = epoch + 1`.execute(store.db)
    const second = hold(store, ['b', 'a', 'b'], { early: false, fails: false })
    second.finish()
    await second.done
    const events = await readNext(store, 5)
    expect(brief(events)).toEqual(['a1 placed', 'b1 placed', 'b2 placed', 'a2 placed', 'b3 placed'])
    const before = last?.position as EventPosition
    expect(events[2]?.position.epoch).toBe(before.epoch + 1)
    expect(brief(await readNext(store, 3, { after: events[1]?.position }))).toEqual(brief(events.slice(2)))
  })
})

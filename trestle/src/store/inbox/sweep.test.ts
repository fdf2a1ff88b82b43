import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { makeTestDir, writeMigrations } from '../fixtures/store-fixture.ts'
import { type OpenStore, openStore, postgres } from '../index.ts'
import { noteSwept, sweepHandled, sweepKeys, unswept } from './sweep.ts'

const day = 86_400_000
const memoryMs = 14 * day
const nowMs = Date.parse('2030-06-01T00:00:00Z')

/** The id of an event that happened so many days ago. */
function idOf(n: number, daysAgo: number): string {
  const time = (nowMs - daysAgo * day).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(n).padStart(12, '0')}`
}

describe('what is forgotten of an inbox', () => {
  const dir = makeTestDir()
  let stores: Awaited<ReturnType<typeof testStores>>
  let store: OpenStore<unknown>
  beforeAll(async () => {
    stores = await testStores()
    const migrations = writeMigrations(dir.path, {})
    store = openStore(postgres<unknown>({ migrations }), await stores.connectionFor('sweep'))
    await store.migrate()
  })
  beforeEach(() => sql`truncate trestle.inbox, trestle.inbox_keys, trestle.subscriptions`.execute(store.db))
  afterAll(async () => {
    await store.close()
    await stores.close()
    dir.remove()
  })

  /** An event; `handledDaysAgo` undefined: it waits. */
  async function event(n: number, daysAgo: number, handledDaysAgo?: number, generation = 1): Promise<void> {
    await sql`
      insert into trestle.inbox (subscription, generation, event_id, state, key, key_version, handled_at)
      values (1, ${generation}, ${idOf(n, daysAgo)}::uuid, ${handledDaysAgo === undefined ? 0 : 1}, ${`k${n}`}, 1,
        now() - ${handledDaysAgo ?? null}::double precision * interval '1 day')`.execute(store.db)
  }

  async function key(name: string, movedDaysAgo: number, more: { head?: number; parked?: boolean } = {}, of = 1) {
    await sql`
      insert into trestle.inbox_keys (subscription, generation, key, version, since, head, parked_at, moved_at)
      values (1, ${of}, ${name}, 7, 1, ${more.head ?? null}, ${more.parked === true ? sql`now()` : null},
        now() - ${movedDaysAgo}::double precision * interval '1 day')`.execute(store.db)
  }

  /** The subscription 1 is at this generation. */
  async function replayed(n: number): Promise<void> {
    await sql`
      insert into trestle.subscriptions as s (id, name, stream, begins, generation) overriding system value
      values (1, 'moves', 'moves@1', 'earliest', ${n})
      on conflict (id) do update set generation = excluded.generation`.execute(store.db)
  }

  async function left(): Promise<readonly string[]> {
    const { rows } = await sql<{ key: string }>`select key from trestle.inbox order by key`.execute(store.db)
    return rows.map((row) => row.key)
  }

  async function keysLeft(): Promise<readonly string[]> {
    const { rows } = await sql<{ key: string }>`select key from trestle.inbox_keys order by key`.execute(store.db)
    return rows.map((row) => row.key)
  }

  const all = { after: undefined, max: 100, memoryMs, nowMs, whole: false }

  it('is what was handled before the time of memory, and not what is old and was handled lately', async () => {
    await event(1, 60, 15)
    await event(2, 60, 13)
    await event(3, 13, 13)
    expect(await sweepHandled(store.db, all)).toEqual({ gone: 1, next: undefined })
    expect(await left()).toEqual(['k2', 'k3'])
  })

  it('is never what waits, however old it is', async () => {
    await event(1, 400)
    await event(2, 400, 100)
    await sweepHandled(store.db, all)
    expect(await left()).toEqual(['k1'])
  })

  it('is looked for in steps of so many rows, each behind the one before, whatever stands in between', async () => {
    for (const n of [1, 2, 3, 5]) await event(n, 60 - n)
    for (const n of [4, 6]) await event(n, 60 - n, 30)
    const first = await sweepHandled(store.db, { ...all, max: 3 })
    expect(first).toMatchObject({ gone: 0, next: { name: idOf(3, 57) } })
    const second = await sweepHandled(store.db, { ...all, max: 3, after: first.next })
    expect(second).toMatchObject({ gone: 2, next: { name: idOf(6, 54) } })
    expect(await sweepHandled(store.db, { ...all, max: 3, after: second.next })).toEqual({ gone: 0, next: undefined })
    expect(await left()).toEqual(['k1', 'k2', 'k3', 'k5'])
  })

  it('is a key that has nothing waiting, is not parked, and has not moved for twice that time', async () => {
    await key('gone', 29)
    await key('remembered', 27)
    await key('waiting', 100, { head: 8 })
    await key('parked', 100, { head: 8, parked: true })
    expect(await sweepKeys(store.db, all)).toEqual({ gone: 1, next: undefined })
    expect(await keysLeft()).toEqual(['parked', 'remembered', 'waiting'])
  })

  it('is looked for among keys in steps, too', async () => {
    for (const name of ['a', 'b', 'c']) await key(name, 100)
    const first = await sweepKeys(store.db, { ...all, max: 2 })
    expect(first).toEqual({ gone: 2, next: { name: 'b', subscription: 1, generation: 1 } })
    expect(await sweepKeys(store.db, { ...all, max: 2, after: first.next })).toEqual({ gone: 1, next: undefined })
  })

  it('is all of earlier generations, however young, whether it waits or not, and nothing of this one', async () => {
    await replayed(2)
    await event(1, 1, 1)
    await event(2, 1)
    await event(3, 1, 1, 2)
    await event(4, 1, undefined, 2)
    await key('old', 1, { head: 8, parked: true })
    await key('now', 1, { head: 8, parked: true }, 2)
    expect(await sweepHandled(store.db, { ...all, whole: true })).toEqual({ gone: 2, next: undefined })
    expect(await sweepKeys(store.db, { ...all, memoryMs: undefined })).toEqual({ gone: 1, next: undefined })
    expect(await left()).toEqual(['k3', 'k4'])
    expect(await keysLeft()).toEqual(['now'])
  })

  it('is looked for among what is young only when earlier generations left something, and until a walk was at its end', async () => {
    await event(1, 1, 1)
    expect(await unswept(store.db, 'events')).toEqual([])
    await replayed(2)
    expect(await unswept(store.db, 'keys')).toEqual([{ id: 1, generation: 2 }])
    const before = await unswept(store.db, 'events')
    expect(await sweepHandled(store.db, all)).toEqual({ gone: 0, next: undefined })
    expect(await left()).toEqual(['k1'])
    await replayed(3)
    await noteSwept(store.db, 'events', before)
    expect(await unswept(store.db, 'events')).toEqual([{ id: 1, generation: 3 }])
    await noteSwept(store.db, 'events', [{ id: 1, generation: 3 }])
    expect(await unswept(store.db, 'events')).toEqual([])
    expect(await unswept(store.db, 'keys')).toEqual([{ id: 1, generation: 3 }])
  })
})

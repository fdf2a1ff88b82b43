import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { makeTestDir, writeMigrations } from '../fixtures/store-fixture.ts'
import { type OpenStore, openStore, postgres } from '../index.ts'
import type { EventEnvelope } from '../outbox/event-envelope.ts'
import { addWaiting } from './accept.ts'
import { type Claimed, claimForLease, claimInTransaction, markHandled, parkKey, renewClaim } from './claim.ts'
import { inboxStates } from './inbox-state.ts'
import { keyRuns } from './key-runs.ts'
import { registerSubscription, type SubscriptionRow } from './subscription-rows.ts'

const leaseMs = 600_000

describe('the events that wait', () => {
  const dir = makeTestDir()
  let stores: Awaited<ReturnType<typeof testStores>>
  let store: OpenStore<unknown>
  let row: SubscriptionRow
  beforeAll(async () => {
    stores = await testStores()
    store = openStore(
      postgres<unknown>({ migrations: writeMigrations(dir.path, {}) }),
      await stores.connectionFor('claim'),
    )
    await store.migrate()
    row = await registerSubscription(store.db, { name: 'moves', stream: 'orders@1', from: 'earliest' })
  })
  beforeEach(() => sql`truncate trestle.inbox, trestle.inbox_keys`.execute(store.db))
  afterAll(async () => {
    await store.close()
    await stores.close()
    dir.remove()
  })

  async function arrive(key: string, ...versions: readonly number[]): Promise<void> {
    const events = versions.map((keyVersion): EventEnvelope => {
      const id = `00000000-0000-7000-8000-${Buffer.from(key + keyVersion)
        .toString('hex')
        .padStart(12, '0')}`
      const position = { epoch: 1, xid: '1', seq: '1' }
      const more = { stream: 'orders@1', type: 'moved', version: 1, occurredAt: 5, payload: '{}', traceparent: '' }
      return { id, key, keyVersion, position, ...more }
    })
    await store.transaction(({ db }) => addWaiting(db, row, keyRuns(events), 'first-seen'))
  }
  const claimed = async () => (await claimForLease(store.db, row, leaseMs)) as Claimed
  const done = (claim: Claimed) => store.transaction(({ db }) => markHandled(db, row, claim, 'leased'))
  const state = async () => (await inboxStates(store.db, [row.id]))[0]

  it('are not held back by a renewal that comes after the note that the one before is done', async () => {
    await arrive('a', 1, 2)
    const first = await claimed()
    await done(first)
    expect(await renewClaim(store.db, row, first, leaseMs)).toBe(true)
    expect(await claimed()).toMatchObject({ key: 'a', keyVersion: 2 })
  })

  it('are none where a renewal comes after the last was handled', async () => {
    await arrive('a', 1)
    const only = await claimed()
    await done(only)
    await renewClaim(store.db, row, only, -leaseMs)
    expect(await state()).toMatchObject({ due: false, waiting: 0 })
  })

  it('stay parked when a renewal comes late', async () => {
    await arrive('a', 1, 2)
    const first = await claimed()
    await parkKey(store.db, row, first, { reason: 'no', tries: 1, counted: 1, how: 'leased' })
    await renewClaim(store.db, row, first, -leaseMs)
    expect(await claimForLease(store.db, row, leaseMs)).toBeUndefined()
    expect(await state()).toMatchObject({ due: false, waiting: 0, parkedWaiting: 2, parkedKeys: 1 })
  })

  it('are claimed when it is their time, the longest waiting first, and those last whose time was set by another clock', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await arrive(key, 1)
    await sql`update trestle.inbox_keys set next_at = now() + case key when 'a' then interval '1 minute'
      when 'b' then interval '2 hours' when 'c' then interval '-1 minute' else interval '-2 minutes' end`.execute(
      store.db,
    )
    const keys = [await claimed(), await claimed(), await claimed()].map(({ key }) => key)
    expect(keys).toEqual(['d', 'c', 'b'])
    expect(await claimForLease(store.db, row, leaseMs)).toBeUndefined()
    expect(await state()).toMatchObject({ due: false, waiting: 4, oldestMs: 5 })
    await sql`update trestle.inbox_keys set next_at = now() + interval '2 hours' where key = 'b'`.execute(store.db)
    expect(await state()).toMatchObject({ due: true })
    expect(await store.transaction(({ db }) => claimInTransaction(db, row))).toMatchObject({ key: 'b' })
  })
})

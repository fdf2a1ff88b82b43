import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addWaiting } from '../../store/inbox/accept.ts'
import { type Claimed, claimInTransaction, markHandled } from '../../store/inbox/claim.ts'
import { keyRuns } from '../../store/inbox/key-runs.ts'
import {
  acquireLease,
  type Lease,
  movePosition,
  registerSubscription,
  renewLeases,
} from '../../store/inbox/subscription-rows.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { type InboxHarness, inboxHarness, moveOf } from './fixtures/inbox-harness.ts'
import { replay } from './operate.ts'

const waiting = (n: number) => keyRuns([moveOf('a', n)])

describe('a replay', () => {
  let harness: InboxHarness
  let stores: Awaited<ReturnType<typeof testStores>>
  beforeAll(async () => {
    stores = await testStores()
    harness = await inboxHarness(stores)
  })
  afterEach(() => harness.clear())
  afterAll(async () => {
    await harness[Symbol.asyncDispose]()
    await stores.close()
  })

  const lockWaits = async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      harness.store.db,
    )
    return rows.length
  }

  it('waits for what is being handled, and lets others go on meanwhile: who takes events, and who keeps a lease', async () => {
    const { store } = harness
    const row = await registerSubscription(store.db, { name: 'moves', stream: 'moves@1', from: 'earliest' })
    const lease = (await acquireLease(store.db, row.id, 'p1', 60_000)) as Lease
    await store.transaction(({ db }) => addWaiting(db, row, waiting(1), 'first-seen'))
    const [claimed, taken, replaying] = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const handling = store.transaction(async ({ db }) => {
      const event = (await claimInTransaction(db, row)) as Claimed
      claimed?.resolve()
      await replaying?.promise
      await markHandled(db, row, event, 'locked')
    })
    await claimed?.promise
    const taking = store.transaction(async ({ db }) => {
      await addWaiting(db, row, waiting(2), 'first-seen')
      taken?.resolve()
      await replaying?.promise
      await movePosition(db, lease, { epoch: 1, xid: '2', seq: '1' }, undefined)
    })
    await taken?.promise
    const replayed = replay(store, { subscription: 'moves', sinceMs: undefined, reason: 'the report was wrong' })
    await expect.poll(lockWaits, { timeout: 10_000, interval: 10 }).toBe(1)
    expect(await renewLeases(store.db, 'p1', 60_000, [row.id])).toMatchObject([{ generation: 1 }])
    replaying?.resolve()
    await Promise.all([handling, taking])
    expect(await replayed).toEqual({ generation: 2, givenUp: { waiting: 1, parkedKeys: 0 } })
  })
})

import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
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
import { type InboxHarness, useInboxHarness, moveOf } from './fixtures/inbox-harness.ts'
import { replay } from './operate.ts'

const within = { timeout: 10_000, interval: 10 }
const waiting = (key: string, n: number) => keyRuns([moveOf(key, n)])

describe('a replay', () => {
  let harness: InboxHarness
  useInboxHarness((made) => (harness = made))

  const isSubscriptionLocked = async () => {
    const { rows } = await sql`select 1 from trestle.subscriptions for update skip locked`.execute(harness.store.db)
    return rows.length === 0
  }
  const lockWaits = async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      harness.store.db,
    )
    return rows.length
  }

  /** A subscription that this process pulls for, and its parts at work as a test says. */
  const atWork = async () => {
    const { store } = harness
    const row = await registerSubscription(store.db, { name: 'moves', stream: 'moves@1', from: 'earliest' })
    const lease = (await acquireLease(store.db, row.id, 'p1', 60_000)) as Lease
    return {
      row,
      add: (key: string, n: number) =>
        store.transaction(({ db }) => addWaiting(db, row, waiting(key, n), 'first-seen')),
      /** Claims the event that is next, and handles it when it may. */
      handle: async (may: Promise<void>) => {
        const claimed = Promise.withResolvers<void>()
        const done = store.transaction(async ({ db }) => {
          const event = (await claimInTransaction(db, row)) as Claimed
          claimed.resolve()
          await may
          await markHandled(db, row, event, 'locked')
        })
        await claimed.promise
        return { done }
      },
      /** Takes an event, and moves the place when it may. */
      take: async (key: string, n: number, may: Promise<void>) => {
        const written = Promise.withResolvers<void>()
        const done = store.transaction(async ({ db }) => {
          await addWaiting(db, row, waiting(key, n), 'first-seen')
          written.resolve()
          await may
          await movePosition(db, lease, { epoch: 1, xid: String(n), seq: '1' }, undefined)
        })
        await written.promise
        return { done }
      },
      replayed: () => replay(store, { subscription: 'moves', sinceMs: undefined, reason: 'the report was wrong' }),
    }
  }

  it('waits for what is being handled, and lets others go on meanwhile: who takes events, and who keeps a lease', async () => {
    const { row, add, handle, take, replayed } = await atWork()
    const replaying = Promise.withResolvers<void>()
    await add('a', 1)
    const handling = await handle(replaying.promise)
    const taking = await take('a', 2, replaying.promise)
    const begun = replayed()
    await expect.poll(lockWaits, within).toBe(1)
    expect(await renewLeases(harness.store.db, 'p1', 60_000, [row.id])).toMatchObject([{ generation: 1 }])
    replaying.resolve()
    await Promise.all([handling.done, taking.done])
    expect(await begun).toEqual({ generation: 2, givenUp: { waiting: 1, parkedKeys: 0 } })
  })

  it('begins again where it is in a circle with what came while it waited', async () => {
    const { add, handle, take, replayed } = await atWork()
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await add('a', 1)
    const one = await handle(first.promise)
    const begun = replayed()
    await expect.poll(lockWaits, within).toBe(1)
    await add('b', 1)
    const two = await handle(second.promise)
    const taking = await take('b', 2, second.promise)
    first.resolve()
    await one.done
    // It has locked its subscription, and waits for the second one now.
    await expect.poll(isSubscriptionLocked, within).toBe(true)
    second.resolve()
    await Promise.allSettled([two.done, taking.done])
    expect(await begun).toMatchObject({ generation: 2 })
  })
})

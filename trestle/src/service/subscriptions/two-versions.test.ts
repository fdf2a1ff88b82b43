import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { contract } from '../../contract/index.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { Tx } from '../../store/store.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { onEvent } from './define-subscription.ts'
import type { SubscriptionOptions } from './event-handler.ts'
import { handBus, type InboxHarness, inboxHarness, type InboxTables, moveOf, moves } from './fixtures/inbox-harness.ts'

const { moved } = moves.events
const moves2 = contract('moves', { version: '2.0.0', operations: {}, events: { moved } })

const write = async ({ event, tx }: { event: InboxTables['effects']; tx: Tx<InboxTables> }) => {
  await tx.db.insertInto('effects').values(event).execute()
}
const on = (events: Parameters<typeof onEvent>[0], more: SubscriptionOptions = {}) => onEvent(events, write, more)
const position = (n: number) => ({ epoch: 1, xid: String(n), seq: '1' })
const positionBus = () => handBus({ acknowledges: 'position' })

describe('replicas of two versions of a service', () => {
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

  const start = async (process: string, definition: SubscriptionDefinition) => {
    const { bus, running } = await harness.start([definition], { process, bus: positionBus() })
    return { consumer: bus.consumer(definition.name), running }
  }
  const rows = async () => {
    const found = await sql`select name, stream, generation, xid::text from trestle.subscriptions order by id`.execute(
      harness.store.db,
    )
    return found.rows
  }

  it('have each their place where the newer one is subscribed to another major version of a contract', async () => {
    const old = await start('p1', on(moved))
    await old.consumer.sink.accept([moveOf('a', 1)], position(1))
    const next = await start('p2', on(moves2.events.moved))
    expect(await next.consumer.sink.position()).toEqual({ kind: 'earliest' })
    await next.consumer.sink.accept([moveOf('b', 1, { stream: moves2.id })], position(7))
    await old.running.poll()
    await old.consumer.sink.accept([moveOf('a', 2)], position(2))
    await expect.poll(async () => (await harness.effects()).length, { timeout: 10_000 }).toBe(3)
    expect(await rows()).toEqual([
      { name: 'moves.moved', stream: 'moves@1', generation: 1, xid: '2' },
      { name: 'moves@2.moved', stream: 'moves@2', generation: 1, xid: '7' },
    ])
  })

  it('are not to have one name for two streams: the newer one does not start, and the older one goes on', async () => {
    const old = await start('p1', on(moved, { name: 'mine' }))
    await old.consumer.sink.accept([moveOf('a', 1)], position(1))
    await expect(start('p2', on(moves2.events.moved, { name: 'mine' }))).rejects.toThrow(
      `the subscription 'mine' is to moves@1; one to moves@2 needs a name of its own`,
    )
    await old.running.poll()
    await old.consumer.sink.accept([moveOf('a', 2)], position(2))
    await expect.poll(async () => (await harness.effects()).length, { timeout: 10_000 }).toBe(2)
    expect(await rows()).toEqual([{ name: 'mine', stream: 'moves@1', generation: 1, xid: '2' }])
  })
})

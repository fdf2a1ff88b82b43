import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { contract } from '../../contract/index.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { Tx } from '../../store/store.ts'
import { onEvent } from './define-subscription.ts'
import type { SubscriptionOptions } from './event-handler.ts'
import { listBlocked } from './operate.ts'
import {
  handBus,
  type InboxHarness,
  useInboxHarness,
  type InboxTables,
  moveOf,
  moves,
} from './fixtures/inbox-harness.ts'

const { moved, seen } = moves.events
const moves2 = contract('moves', { version: '2.0.0', operations: {}, events: { moved } })

const write = async ({ event, tx }: { event: InboxTables['effects']; tx: Tx<InboxTables> }) => {
  await tx.db.insertInto('effects').values(event).execute()
}
const on = (events: Parameters<typeof onEvent>[0], more: SubscriptionOptions = {}) => onEvent(events, write, more)
const position = (n: number) => ({ epoch: 1, xid: String(n), seq: '1' })
const positionBus = () => handBus({ acknowledges: 'position' })

const within = { timeout: 10_000, interval: 10 }
const sight = (key: string, n: number) => moveOf(key, n, { type: 'seen' })

/** In the transaction of the note that the event is done, whichever it is. */
const run: SubscriptionDefinition['run'] = async (deliveries, { tx, more }) => {
  const effects = deliveries.map(({ event }) => event as InboxTables['effects'])
  const insert = (to: Tx<InboxTables>) => to.db.insertInto('effects').values(effects).execute()
  if (tx !== undefined) await insert(tx as Tx<InboxTables>)
  else await (more as { store: InboxHarness['store'] }).store.transaction(insert)
}

describe('replicas of two versions of a service', () => {
  let harness: InboxHarness
  useInboxHarness((made) => (harness = made))

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
  const older = on(moved, { name: 'mine' })
  const newer = on([moved, seen], { name: 'mine' })
  /** Time for a process to find out what others have changed. */
  const limits = { leaseMs: 300 }
  const begin = async (process: string, definition: SubscriptionDefinition) => {
    const { bus, running } = await harness.start([definition], { process, bus: positionBus(), limits })
    return { consumer: bus.consumer('mine'), running }
  }
  const typesOf = ({ consumer }: Awaited<ReturnType<typeof begin>>) => consumer.types.toSorted()

  it.each([
    ['a newer', ['moved', 'seen'], older, newer],
    ['an older', ['moved', 'seen'], newer, older],
  ])('pull each for all types, %s one that comes later too, until the other one is gone', async (_, both, one, two) => {
    const first = await begin('p1', one)
    const second = await begin('p2', two)
    await expect.poll(() => typesOf(first), within).toEqual(both)
    await expect.poll(() => typesOf(second), within).toEqual(both)
    const own = typesOf(first)
    await second.running.stop()
    await expect.poll(() => typesOf(first), within).toEqual(one.events.map(({ name }) => name))
    expect(own).toEqual(both)
  })

  it('pull for no type any more of one that went without a word', async () => {
    const first = await begin('p0', older)
    const gone = await harness.startApart([newer], limits)
    await expect.poll(() => typesOf(first), within).toEqual(['moved', 'seen'])
    await gone.crash()
    await expect.poll(() => typesOf(first), within).toEqual(['moved'])
  })

  it('say again what they want when they were forgotten and are there again', async () => {
    const { db } = harness.store
    await begin('p1', newer)
    const { rows: said } = await sql`select wishes from trestle.inbox_processes`.execute(db)
    await sql`delete from trestle.inbox_processes`.execute(db)
    const again = async () => (await sql`select wishes from trestle.inbox_processes`.execute(db)).rows
    await expect.poll(again, within).toEqual(said)
  })

  it('step over nothing that the newer one wants: who pulled without it may not go on', async () => {
    const slow = { bus: positionBus(), limits: { pollMs: 60_000 } }
    const first = await harness.start([older], { process: 'p1', ...slow })
    const { sink } = first.bus.consumer('mine')
    await sink.accept([moveOf('a', 1)], position(1))
    await harness.start([newer], { process: 'p2', ...slow, bus: positionBus() })
    const passed = sight('a', 2)
    await expect(sink.accept([{ ...passed, payload: undefined }], position(2))).rejects.toThrow('division by zero')
  })

  it.each([
    ['in transactions', {}],
    ['as effects', { mode: 'effect' as const }],
  ])('leave to the newer one what the older one does not know, and park nothing of it, %s', async (_, mode) => {
    const first = await harness.start([{ ...older, ...mode, run }], { process: 'p1' })
    const second = await harness.start([{ ...newer, ...mode, run }], { process: 'p2', limits: { pollMs: 60_000 } })
    await first.bus.consumer('mine').sink.accept([sight('a', 1), moveOf('b', 1)], undefined)
    await expect
      .poll(() => harness.observations.filter(({ kind }) => kind === 'failed').length, within)
      .toBeGreaterThan(3)
    expect(await listBlocked(harness.store)).toEqual([])
    const done = async () => {
      await second.running.poll()
      return (await harness.effects()).map(({ key }) => key).toSorted()
    }
    await expect.poll(done, within).toEqual(['a', 'b'])
    expect(await listBlocked(harness.store)).toEqual([])
  })

  it('park what only a version knew that is gone', async () => {
    const first = await begin('p1', older)
    const second = await begin('p2', newer)
    await second.running.stop()
    await first.consumer.sink.accept([sight('a', 1)], undefined)
    await expect
      .poll(() => listBlocked(harness.store), within)
      .toMatchObject([{ key: 'a', why: 'parked', reason: 'UnreadableEvent: the subscription has no event seen' }])
  })
})

import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { watchCrashPoints } from '../../std/crash-points.ts'
import type { Delivery, SubscriptionArgs, SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import { StoreError, type Tx } from '../../store/store.ts'
import {
  handBus,
  type InboxHarness,
  useInboxHarness,
  type InboxTables,
  moveOf,
  moves,
} from './fixtures/inbox-harness.ts'
import { listBlocked, oldestUnhandledMs, redrive, replay, skip, subscriptionStatus } from './operate.ts'

type Handle = (deliveries: readonly Delivery[], args: SubscriptionArgs) => Promise<void>

interface Move {
  readonly key: string
  readonly n: number
}

const movesOf = (deliveries: readonly Delivery[]) => deliveries.map(({ event }) => event as Move)

const write: Handle = async (deliveries, { tx }) => {
  await (tx as Tx<InboxTables>).db.insertInto('effects').values(movesOf(deliveries)).execute()
}

function subscription(run: Handle = write, more: Partial<SubscriptionDefinition> = {}): SubscriptionDefinition {
  return {
    name: 'moves',
    events: [moves.events.moved],
    mode: 'transaction',
    batchMax: 1,
    from: 'earliest',
    triesMax: 3,
    concurrencyMax: 4,
    run,
    ...more,
  }
}

/** A place whose event nobody wants. */
const place = (n: number) => moveOf('a', n, { payload: undefined, type: 'seen' })

const refuseFirst: Handle = async (deliveries, args) => {
  if (movesOf(deliveries)[0]?.n === 1) throw new Error('poison')
  await write(deliveries, args)
}

const hangOnA: Handle = async (deliveries, args) => {
  if (movesOf(deliveries).some(({ key }) => key === 'a')) await new Promise(() => undefined)
  await write(deliveries, args)
}

const takeTime: Handle = async (deliveries, args) => {
  const { db } = args.tx as Tx<InboxTables>
  for (const _ of deliveries) await sql`select pg_sleep(0.3)`.execute(db)
  await write(deliveries, args)
}

const position = (n: number) => ({ epoch: 1, xid: String(n), seq: '1' })
const positionBus = () => handBus({ acknowledges: 'position' })

const batches = (run: Handle = write) => subscription(run, { batchMax: 100 })

describe('subscriptions', () => {
  let harness: InboxHarness
  useInboxHarness((made) => (harness = made))

  const effects = () => harness.effects()
  const become = async (expected: unknown) => {
    await expect.poll(effects, { timeout: 10_000, interval: 10 }).toEqual(expected)
  }
  const blocked = async () =>
    (await listBlocked(harness.store)).map(({ key, why, reason, waiting }) => ({ key, why, reason, waiting }))
  const decisions = async () => {
    const rows = await harness.store.db
      .selectFrom('trestle.inbox_decisions' as 'effects')
      .select(['decision', 'key', 'reason'] as never)
      .execute()
    return rows as readonly unknown[]
  }

  it.each([
    ['one by one', subscription()],
    ['in batches', batches()],
  ])('handle each event once %s, however often it comes', async (_, definition) => {
    const { bus } = await harness.start([definition])
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('a', 1), moveOf('a', 2), moveOf('b', 1)], undefined)
    await sink.accept([moveOf('a', 2), moveOf('a', 3), moveOf('b', 1)], undefined)
    await sink.accept([moveOf('a', 1), moveOf('a', 2), moveOf('b', 1)], undefined)
    await expect.poll(async () => (await effects()).length, { timeout: 10_000 }).toBe(4)
    const done = await effects()
    expect(done.filter(({ key }) => key === 'a')).toEqual([1, 2, 3].map((n) => ({ key: 'a', n })))
    expect(done.filter(({ key }) => key === 'b')).toEqual([{ key: 'b', n: 1 }])
  })

  it('step over what they do not want without a trace of it, and keep its place behind what waits', async () => {
    const gate = Promise.withResolvers<void>()
    const { bus } = await harness.start([
      subscription(async (deliveries, args) => {
        if (movesOf(deliveries)[0]?.n === 2) await gate.promise
        await write(deliveries, args)
      }),
    ])
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('z', 1, { payload: undefined })], undefined)
    await sink.accept([moveOf('a', 1)], undefined)
    await become([{ key: 'a', n: 1 }])
    await sink.accept([moveOf('a', 2), place(3), moveOf('a', 4)], undefined)
    gate.resolve()
    await become([1, 2, 4].map((n) => ({ key: 'a', n })))
    await sink.accept([place(5)], undefined)
    await sink.accept([moveOf('a', 6)], undefined)
    await become([1, 2, 4, 6].map((n) => ({ key: 'a', n })))
    expect(await blocked()).toEqual([])
  })

  it('wait where a version is missing, let other keys go on, and say which one it is', async () => {
    const { bus } = await harness.start([subscription()])
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('a', 1)], undefined)
    await sink.accept([moveOf('a', 3), moveOf('b', 1)], undefined)
    await become(
      expect.arrayContaining([
        { key: 'a', n: 1 },
        { key: 'b', n: 1 },
      ]),
    )
    const [gap] = await listBlocked(harness.store)
    expect(gap).toMatchObject({ key: 'a', why: 'gap', missing: { from: 2, to: 2 }, waiting: 1 })
    await sink.accept([moveOf('a', 2)], undefined)
    await expect.poll(async () => (await effects()).filter(({ key }) => key === 'a')).toHaveLength(3)
    expect((await effects()).filter(({ key }) => key === 'a').map(({ n }) => n)).toEqual([1, 2, 3])
  })

  it('can be told to give a missing version up', async () => {
    const { bus } = await harness.start([subscription()])
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('a', 1)], undefined)
    await sink.accept([moveOf('a', 4)], undefined)
    await become([{ key: 'a', n: 1 }])
    const given = { subscription: 'moves', key: 'a', eventId: moveOf('a', 4).id, reason: 'lost by the broker' }
    expect(await skip(harness.store, { ...given, eventId: moveOf('a', 9).id })).toBeUndefined()
    expect(await skip(harness.store, given)).toEqual({ eventId: undefined, missing: 2 })
    await become([
      { key: 'a', n: 1 },
      { key: 'a', n: 4 },
    ])
    expect(await decisions()).toEqual([{ decision: 'skip-gap', key: 'a', reason: 'lost by the broker' }])
  })

  it.each([
    ['one by one', false],
    ['in batches', true],
  ])('park the key of a poison event after its tries, %s, and redrive it', async (_, inBatches) => {
    let poisoned = true
    const run: Handle = async (deliveries, args) => {
      if (poisoned && movesOf(deliveries).some(({ key, n }) => key === 'a' && n === 2)) throw new Error('poison')
      await write(deliveries, args)
    }
    const { bus } = await harness.start([inBatches ? batches(run) : subscription(run)])
    const { sink } = bus.consumer('moves')
    await sink.accept([moveOf('a', 1), moveOf('a', 2), moveOf('a', 3), moveOf('b', 1)], undefined)
    const parked = [{ key: 'a', why: 'parked', reason: 'Error: poison', waiting: 2 }]
    await expect.poll(blocked, { timeout: 10_000 }).toEqual(parked)
    await sink.accept([moveOf('a', 4), moveOf('b', 2), moveOf('c', 1)], undefined)
    await expect.poll(async () => (await effects()).length).toBe(4)
    const [first] = await listBlocked(harness.store)
    expect(first).toMatchObject({
      tries: 3,
      event: { id: moveOf('a', 2).id, payload: '{"key":"a","n":2}' },
      waiting: 3,
    })
    expect(harness.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    expect(harness.observations.filter(({ kind }) => kind === 'parked')).toHaveLength(1)
    poisoned = false
    expect(await redrive(harness.store, { subscription: 'moves', reason: 'fixed' })).toBe(1)
    await expect.poll(async () => (await effects()).length).toBe(7)
    expect((await effects()).filter(({ key }) => key === 'a').map(({ n }) => n)).toEqual([1, 2, 3, 4])
    expect(await blocked()).toEqual([])
  })

  it('skip an event when they are told to, with the reason written down', async () => {
    const { bus } = await harness.start([subscription(refuseFirst)])
    await bus.consumer('moves').sink.accept([moveOf('a', 1), moveOf('a', 2)], undefined)
    await expect.poll(blocked, { timeout: 10_000 }).toHaveLength(1)
    const eventId = moveOf('a', 1).id
    const skipped = await skip(harness.store, { subscription: 'moves', key: 'a', eventId, reason: 'a test order' })
    expect(skipped).toEqual({ eventId, missing: 0 })
    await become([{ key: 'a', n: 2 }])
    expect(await decisions()).toEqual([{ decision: 'skip', key: 'a', reason: 'a test order' }])
  })

  it('park at once what cannot be read by their contract', async () => {
    const { bus } = await harness.start([subscription(), { ...batches(), name: 'many' }])
    const strange = moveOf('a', 1, { payload: '{"key":"a","n":"one"}' })
    for (const name of ['moves', 'many']) await bus.consumer(name).sink.accept([strange, moveOf('b', 1)], undefined)
    await expect.poll(blocked, { timeout: 10_000 }).toHaveLength(2)
    const [first] = await listBlocked(harness.store)
    expect(first?.reason).toMatch(/moves.moved does not match its reader's contract: \/n/)
    expect(first?.tries).toBe(1)
    await become([
      { key: 'b', n: 1 },
      { key: 'b', n: 1 },
    ])
  })

  it('park at once what is of a type that nobody knows any more', async () => {
    const { bus } = await harness.start([subscription(), { ...batches(), name: 'many' }])
    const unknown = moveOf('a', 1, { type: 'flown' })
    for (const name of ['moves', 'many']) await bus.consumer(name).sink.accept([unknown, moveOf('b', 1)], undefined)
    const parked = {
      key: 'a',
      why: 'parked',
      reason: 'UnreadableEvent: the subscription has no event flown',
      waiting: 1,
    }
    await expect.poll(blocked, { timeout: 10_000 }).toEqual([parked, parked])
    await become([
      { key: 'b', n: 1 },
      { key: 'b', n: 1 },
    ])
  })

  it('do not use up tries while something is away that the handler needs', async () => {
    let tries = 0
    const run: Handle = async (deliveries, args) => {
      tries += 1
      if (tries < 8) throw Object.assign(new Error('away'), { name: 'StoreError', code: 'unavailable' })
      await write(deliveries, args)
    }
    const { bus } = await harness.start([subscription(run)])
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await become([{ key: 'a', n: 1 }])
    expect(tries).toBe(8)
    expect(await blocked()).toEqual([])
  })

  it.each([
    ['one by one', 1],
    ['in batches', 100],
  ])('park the key of an event whose handler hangs, %s: no other key waits for it', async (_, batchMax) => {
    const hanging = subscription(hangOnA, { batchMax, triesMax: 2, concurrencyMax: 1 })
    const { bus } = await harness.start([hanging], { limits: { transactionTimeoutMs: 200 } })
    await bus.consumer('moves').sink.accept([moveOf('a', 1), moveOf('b', 1)], undefined)
    await expect.poll(blocked, { timeout: 20_000 }).toMatchObject([{ key: 'a', why: 'parked', waiting: 1 }])
    expect((await blocked())[0]?.reason).toContain('waited for something else than the database')
    await become([{ key: 'b', n: 1 }])
  })

  it('try again without end what the database takes too long for: the event is not to blame', async () => {
    const begun: number[] = []
    const run: Handle = async (deliveries, args) => {
      begun.push(1)
      const { db } = args.tx as Tx<InboxTables>
      if (begun.length < 4) await sql`select pg_sleep(0.6)`.execute(db)
      await write(deliveries, args)
    }
    const { bus } = await harness.start([subscription(run, { triesMax: 2 })], { limits: { transactionTimeoutMs: 300 } })
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await become([{ key: 'a', n: 1 }])
    expect(begun.length).toBe(4)
  })

  it('are handled one by one where all that came at once takes longer than a transaction may', async () => {
    const { bus } = await harness.start([batches(takeTime)], { limits: { transactionTimeoutMs: 1_000 } })
    await bus.consumer('moves').sink.accept(
      ['a', 'b', 'c', 'd'].map((key) => moveOf(key, 1)),
      undefined,
    )
    await expect.poll(async () => (await effects()).length, { timeout: 20_000 }).toBe(4)
    expect(harness.logs.map(({ message }) => message)).toContain(
      'a batch of events could not be handled; they are handled one by one',
    )
  })

  it('take only as much as may wait, and go on when there is room', async () => {
    const gate = Promise.withResolvers<void>()
    const run: Handle = async (deliveries, args) => {
      await gate.promise
      await write(deliveries, args)
    }
    const { bus } = await harness.start([subscription(run)], { limits: { waitingMax: 3 } })
    const { sink } = bus.consumer('moves')
    const stop = new AbortController()
    await sink.ready(stop.signal)
    await sink.accept(
      [1, 2, 3].map((n) => moveOf('a', n)),
      undefined,
    )
    const ready = sink.ready(stop.signal).then(() => 'ready')
    expect(await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, 60, 'full'))])).toBe('full')
    gate.resolve()
    expect(await ready).toBe('ready')
    await become([1, 2, 3].map((n) => ({ key: 'a', n })))
  })

  it.each([
    // The first death makes those after it careful: only then are tries counted before they begin.
    ['in a transaction', 'transaction', 1, 4],
    ['as it arrives in a batch', 'transaction', 100, 4],
    ['as an effect', 'effect', 1, 3],
  ] as const)(
    'park what ends one process after the other while it is handled %s',
    async (_, mode, batchMax, deaths) => {
      const live = async (...events: Parameters<typeof moveOf>[]) => {
        const begun = Promise.withResolvers<void>()
        const dying: Handle = async (deliveries, args) => {
          if (movesOf(deliveries)[0]?.key !== 'a') return args.tx === undefined ? undefined : write(deliveries, args)
          begun.resolve()
          await new Promise(() => undefined)
        }
        // No second worker: what it asks at the moment of the death the server may do a moment later.
        const definition = subscription(dying, { mode, batchMax, triesMax: 3, concurrencyMax: 1 })
        const process = await harness.startApart([definition], { claimMs: 60_000 })
        // The bus hands over again what no process has taken before its death.
        const taken = process.bus.consumer('moves').sink.accept(
          events.map((each) => moveOf(...each)),
          undefined,
        )
        taken.catch(() => undefined)
        return { begun: begun.promise, crash: () => process.crash() }
      }
      for (let death = 1; death <= deaths; death += 1) {
        const process = await live(['a', 1])
        await process.begun
        await process.crash()
        // Nobody waits for the claim of who has died to run out.
        await sql`update trestle.inbox_keys set next_at = now() where next_at is not null`.execute(harness.store.db)
      }
      const last = await live(['a', 1], ['b', 1])
      await expect.poll(blocked, { timeout: 10_000 }).toHaveLength(1)
      await last.crash()
      const [parked] = await listBlocked(harness.store)
      expect(parked).toMatchObject({ key: 'a', why: 'parked', tries: 4, event: { id: moveOf('a', 1).id } })
      expect(parked?.reason).toContain('3 tries were begun and did not end')
    },
  )

  it.each(['transaction', 'effect'] as const)(
    'do not take a try that failed, which nothing could be written of, for one that ended its process: %s',
    async (mode) => {
      let away = 0
      let done = 0
      const run: Handle = async () => {
        // A full disk: the try was counted while there was room, and then there is none.
        if (away < 12) throw new Error('no space left')
        done += 1
      }
      const definition = subscription(run, { mode, triesMax: 3 })
      // It goes without a word, so that tries are counted before they begin.
      await (await harness.startApart([definition])).crash()
      watchCrashPoints((point) => {
        if (point !== 'inbox.before-failure-noted' || away >= 12) return
        away += 1
        throw new Error('still no space left')
      })
      const process = await harness.startApart([definition], { claimMs: 30 })
      await process.bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
      await expect.poll(() => done, { timeout: 20_000 }).toBe(1)
      expect([away, await blocked()]).toEqual([12, []])
      watchCrashPoints(undefined)
      await process.crash()
    },
  )

  it('are pulled for by one process, and by another one when its lease has run out: the first can write nothing then', async () => {
    const limits = { leaseMs: 60_000, pollMs: 100_000 }
    const first = await harness.start([batches()], { process: 'p1', bus: positionBus(), limits })
    const second = await harness.start([batches()], { process: 'p2', bus: positionBus(), limits })
    const one = first.bus.consumer('moves').sink
    const two = second.bus.consumer('moves').sink
    await one.accept([moveOf('a', 1)], position(1))
    await expect(two.accept([moveOf('a', 1)], position(1))).rejects.toThrow('lease')
    // The first is stopped in its tracks; its lease runs out, and the second one takes it.
    await sql`update trestle.subscriptions set lease_until = now() - interval '1 s', lease_holder = 'p1 stopped'`.execute(
      harness.store.db,
    )
    await second.running.poll()
    await two.ready(new AbortController().signal)
    expect(await two.position()).toEqual({ kind: 'position', position: position(1) })
    await two.accept([moveOf('a', 1), moveOf('a', 2)], position(2))
    await expect(one.accept([moveOf('a', 2), moveOf('b', 1)], position(3))).rejects.toThrow('division by zero')
    await become([1, 2].map((n) => ({ key: 'a', n })))
    await second.running.poll()
    expect(await two.position()).toEqual({ kind: 'position', position: position(2) })
  })

  it('handle everything again after a replay, and say what they have given up', async () => {
    let poisoned = true
    const run: Handle = async (deliveries, args) => {
      if (poisoned && movesOf(deliveries)[0]?.key === 'p') throw new Error('poison')
      await write(deliveries, args)
    }
    const { bus, running } = await harness.start([subscription(run)])
    const { sink } = bus.consumer('moves')
    const all = [moveOf('a', 1), moveOf('a', 2), moveOf('p', 1), moveOf('p', 2)]
    await sink.accept(all, undefined)
    await expect.poll(blocked, { timeout: 10_000 }).toHaveLength(1)
    await expect.poll(async () => (await effects()).length, { timeout: 10_000 }).toBe(2)
    poisoned = false
    const since = { subscription: 'moves', sinceMs: 1_900_000_000_000, reason: 'the report was wrong' }
    const replayed = await replay(harness.store, since)
    expect(replayed).toEqual({ generation: 2, givenUp: { waiting: 2, parkedKeys: 1 } })
    await running.poll()
    await running.poll()
    expect(await sink.position()).toEqual({ kind: 'time', timeMs: 1_900_000_000_000 })
    await sink.accept(all, undefined)
    await expect.poll(async () => (await effects()).length, { timeout: 10_000 }).toBe(6)
    expect(await replay(harness.store, { ...since, subscription: 'nobody' })).toBeUndefined()
    const [status] = await subscriptionStatus(
      harness.store,
      () => ({ read: async () => Promise.reject(new Error('away')) }),
      0,
    )
    expect(status).toMatchObject({ name: 'moves', generation: 2, waiting: 0, parkedKeys: 0, unread: undefined })
    expect(status?.isPlaceLost).toBe(false)
  })

  it('say that their place is lost, and may be replayed from any time then', async () => {
    const { bus } = await harness.start([subscription()], { bus: positionBus() })
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], position(1))
    await become([{ key: 'a', n: 1 }])
    const lost = { read: () => Promise.reject(new StoreError('feed_position_lost', 'no longer kept')) }
    const [status] = await subscriptionStatus(harness.store, () => lost, 0)
    expect(status).toMatchObject({ unread: undefined, isPlaceLost: true })
    expect(await oldestUnhandledMs(harness.store, () => lost, 'moves')).toBeUndefined()
    const away = { read: () => Promise.reject(new StoreError('unavailable', 'away')) }
    await expect(oldestUnhandledMs(harness.store, () => away, 'moves')).rejects.toMatchObject({ code: 'unavailable' })
  })
})

import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LocalBus, localBus } from '../../bus/local/index.ts'
import type { Handle } from '../../call/call.ts'
import { systemClock } from '../../std/clock.ts'
import { dumpStore } from '../../store/dump/dump-store.ts'
import { loadStore } from '../../store/dump/load-store.ts'
import { makeTestDir, writeMigrations } from '../../store/fixtures/store-fixture.ts'
import type { Delivery, SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import { subscriptionViews } from '../../store/inbox/inbox-views.ts'
import { type OpenStore, openStore, postgres } from '../../store/index.ts'
import type { StoreConnection, Tx } from '../../store/store.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { moves } from './fixtures/inbox-harness.ts'
import { listBlocked, redrive } from './operate.ts'
import { startSubscriptions } from './start-subscriptions.ts'

interface Tables {
  seen: { subscription: string; key: string; n: number; version: number }
}

const log = { info() {}, warn() {}, error() {} }

/** Numbers that no handler takes, until they are taken away. */
const refused = new Set<number>()

async function write(name: string, deliveries: readonly Delivery[], tx: unknown): Promise<void> {
  const numbers = deliveries.map(({ event }) => (event as { readonly n: number }).n)
  if (numbers.some((n) => refused.has(n))) throw new Error('not now')
  const rows = deliveries.map(({ event, meta }) => ({
    subscription: name,
    ...(event as { readonly key: string; readonly n: number }),
    version: meta.keyVersion,
  }))
  await (tx as Tx<Tables>).db.insertInto('seen').values(rows).execute()
}

const within = { timeout: 20_000, interval: 10 }

const common = {
  events: [moves.events.moved],
  from: 'earliest',
  triesMax: 3,
  concurrencyMax: 4,
} as const

const definitions: readonly SubscriptionDefinition[] = [
  { ...common, name: 'one', mode: 'transaction', batchMax: 1, run: (all, { tx }) => write('one', all, tx) },
  { ...common, name: 'many', mode: 'transaction', batchMax: 100, run: (all, { tx }) => write('many', all, tx) },
  {
    ...common,
    name: 'effect',
    mode: 'effect',
    batchMax: 1,
    async run(all, { more }) {
      const { store } = more as { readonly store: OpenStore<Tables> }
      await store.transaction((tx) => write('effect', all, tx))
    },
  },
]

/** The same of every subscription. */
const inAll = (expected: readonly (readonly [number, number])[]) => definitions.map(() => expected)

async function dumpOf(connection: StoreConnection): Promise<Buffer> {
  const chunks: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await dumpStore(connection, 'publisher', sink)
  return Buffer.concat(chunks)
}

/** A publisher whose database can be put back, and a consumer, joined by the embedded bus of one process. */
class Bench {
  readonly consumer: OpenStore<Tables>
  readonly connection: StoreConnection
  publisher: OpenStore<unknown>
  readonly #bus: LocalBus
  readonly #migrations: URL
  #end: { close(): Promise<void> } = { close: async () => undefined }

  constructor(consumer: OpenStore<Tables>, connection: StoreConnection, bus: LocalBus, migrations: URL) {
    this.consumer = consumer
    this.connection = connection
    this.#bus = bus
    this.#migrations = migrations
    this.publisher = openStore(postgres<unknown>({ migrations }), connection)
  }

  async begin(): Promise<void> {
    await this.publisher.migrate()
    this.#end = await this.#bus.produce({ stream: moves.id, service: 'mover', feed: this.publisher.feed })
  }

  async end(): Promise<void> {
    await this.#end.close()
    await this.publisher.close()
  }

  /** As an operator does it: the publisher is stopped, loaded, and started. */
  async putBack(dump: Buffer): Promise<void> {
    await this.end()
    await loadStore(this.connection, Readable.from([dump]))
    this.publisher = openStore(postgres<unknown>({ migrations: this.#migrations }), this.connection)
    await this.begin()
  }

  /** Each a transaction of its own; `n` says which one it is, also where two have one version. */
  async publish(key: string, ...numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await this.publisher.transaction(async (tx) => tx.publish(moves.events.moved, { key, n }))
  }

  async unwanted(key: string): Promise<void> {
    await this.publisher.transaction(async (tx) => tx.publish(moves.events.seen, { key, n: 0 }))
  }

  /** What a subscription has handled of a key, in its order: number and version. */
  async seen(subscription: string, key: string): Promise<readonly (readonly [number, number])[]> {
    const rows = await this.consumer.db
      .selectFrom('seen')
      .select(['n', 'version'])
      .where('subscription', '=', subscription)
      .where('key', '=', key)
      .orderBy('at' as 'n')
      .execute()
    return rows.map(({ n, version }) => [n, version])
  }

  /** What each subscription has handled of a key. */
  async all(key: string): Promise<readonly unknown[]> {
    return await Promise.all(definitions.map(({ name }) => this.seen(name, key)))
  }
}

describe.each(['direct', 'link', 'link-twice'] as const)(
  'a publisher that was put back to a dump, read %s',
  (localReads) => {
    const stack: (() => unknown)[] = []
    let bench: Bench
    /** The consumer's process. */
    let begin: (triesMax?: number) => Promise<void>

    beforeEach(async () => {
      const dir = makeTestDir()
      stack.push(() => dir.remove())
      const stores = await testStores()
      stack.push(() => stores.close())
      const seen = `create table seen (subscription text not null, key text not null, n integer not null,
      version integer not null, at bigint generated always as identity)`
      const consumerSpec = postgres<Tables>({ migrations: writeMigrations(dir.path, { '0001-seen.sql': seen }) })
      const consumer = openStore(consumerSpec, await stores.connectionFor('consumer'))
      stack.push(() => consumer.close())
      await consumer.migrate()
      const handles = new Map<string, Handle>()
      const bus = localBus({
        send: async (call) => {
          const handle = handles.get(call.contract)
          if (handle === undefined) throw new Error('nobody is there')
          return await handle(call)
        },
        open: (contracts, handle) => void contracts.map((each) => handles.set(each, handle)),
        shut: (contracts) => void contracts.map((each) => handles.delete(each)),
        mayRead: () => true,
        clock: systemClock,
        random: Math.random,
        log,
        localReads,
      })
      const connection = await stores.connectionFor('publisher')
      bench = new Bench(consumer, connection, bus, writeMigrations(dir.path, {}))
      await bench.begin()
      stack.push(() => bench.end())
      stack.push(() => bus.close())
      begin = async (triesMax = 3) => {
        const all = definitions.map((definition) => ({ ...definition, triesMax }))
        const running = await startSubscriptions(all, {
          service: 'reader',
          process: 'p1',
          store: consumer as OpenStore<unknown>,
          bus,
          callsFor: () => ({}),
          clock: systemClock,
          random: Math.random,
          log,
          limits: { pollMs: 20, retryBaseMs: 1, retryMaxMs: 5 },
        })
        stack.push(() => running.stop())
      }
    }, 60_000)
    afterEach(async () => {
      refused.clear()
      for (const undo of stack.splice(0).toReversed()) await undo()
    })

    it('is heard: new events under versions that were handled before are handled, in order, each once', async () => {
      await begin()
      await bench.publish('a', 1, 2)
      const dump = await dumpOf(bench.connection)
      await bench.publish('a', 3, 4, 5)
      await bench.publish('b', 1, 2)
      const before = [1, 2, 3, 4, 5].map((n) => [n, n] as const)
      await expect.poll(() => bench.all('a'), within).toEqual(inAll(before))
      await expect
        .poll(() => bench.all('b'), within)
        .toEqual(
          inAll([
            [1, 1],
            [2, 2],
          ]),
        )
      await bench.putBack(dump)
      // One of them nobody wants: its place was handled before, too.
      await bench.publish('a', 13)
      await bench.unwanted('a')
      await bench.publish('a', 15, 16, 17)
      await bench.publish('b', 11, 12, 13)
      const anew = [13, 15, 16, 17].map((n) => [n, n - 10] as const)
      await expect.poll(() => bench.all('a'), within).toEqual(inAll([...before, ...anew]))
      await expect
        .poll(() => bench.all('b'), within)
        .toEqual(
          inAll([
            [1, 1],
            [2, 2],
            [11, 1],
            [12, 2],
            [13, 3],
          ]),
        )
      expect(await listBlocked(bench.consumer)).toEqual([])
    }, 60_000)

    it.each([
      ['wait', 1_000],
      ['are parked', 3],
    ])(
      'is heard behind what it has forgotten while events of then still %s',
      async (_, tries) => {
        await begin(tries)
        await bench.publish('a', 1, 2)
        await expect
          .poll(() => bench.all('a'), within)
          .toEqual(
            inAll([
              [1, 1],
              [2, 2],
            ]),
          )
        const dump = await dumpOf(bench.connection)
        refused.add(3)
        await bench.publish('a', 3, 4, 5)
        const waits = async () =>
          (await subscriptionViews(bench.consumer.db)).map(({ waiting, parkedWaiting }) => waiting + parkedWaiting)
        await expect.poll(waits, within).toEqual([3, 3, 3])
        await bench.putBack(dump)
        await bench.publish('a', 13, 14)
        await bench.unwanted('a')
        await bench.publish('a', 16, 17)
        await expect.poll(waits, within).toEqual([8, 8, 8])
        refused.clear()
        for (const { name } of definitions)
          await redrive(bench.consumer, { subscription: name, reason: 'it is mended' })
        const all = [
          [1, 1],
          [2, 2],
          [3, 3],
          [4, 4],
          [5, 5],
          [13, 3],
          [14, 4],
          [16, 6],
          [17, 7],
        ] as const
        await expect.poll(() => bench.all('a'), within).toEqual(inAll(all))
        expect(await listBlocked(bench.consumer)).toEqual([])
      },
      60_000,
    )

    it('is heard also when it is put back again and again', async () => {
      await begin()
      await bench.publish('a', 1)
      await expect.poll(() => bench.all('a'), within).toEqual(inAll([[1, 1]]))
      const dump = await dumpOf(bench.connection)
      const expected: (readonly [number, number])[] = [[1, 1]]
      for (const time of [1, 2, 3]) {
        await bench.publish('a', time * 10, time * 10 + 1)
        expected.push([time * 10, 2], [time * 10 + 1, 3])
        await expect.poll(() => bench.all('a'), within).toEqual(inAll(expected))
        await bench.putBack(dump)
      }
      await bench.publish('a', 100)
      await expect.poll(() => bench.all('a'), within).toEqual(inAll([...expected, [100, 2]]))
    }, 60_000)
  },
)

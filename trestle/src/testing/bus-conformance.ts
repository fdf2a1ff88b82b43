import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus, BusEnd, EventSink, FeedStart } from '../store/outbox/bus.ts'
import type { EventEnvelope, EventPosition } from '../store/outbox/event-envelope.ts'
import type { EventFeed } from '../store/outbox/event-feed.ts'
import { memoryFeed } from './memory-feed.ts'

/** A bus under test, and who else is on it. */
export interface BusUnderTest extends AsyncDisposable {
  /** As the process of a publisher or a consumer has it; each call is another process. */
  connect(): Promise<Bus>
}

/** What the suite expects of a bus besides what its `capabilities` say. */
export interface BusTraits {
  readonly name: string
  /** Makes the bus; called for each test. */
  readonly make: () => Promise<BusUnderTest>
  /** Where the events come from; made for each test. Default: from memory. */
  readonly feed?: () => Promise<FeedUnderTest>
  /** How long an event may take, milliseconds; default 10,000. */
  readonly timeoutMs?: number
}

const stream = 'conformance@1'

/** A publisher: what the transactions of one database have published, or what stands for it. */
export interface FeedUnderTest extends AsyncDisposable {
  /** Of the stream `conformance@1`. */
  readonly feed: EventFeed
  /** Publishes an event `{ key, note }` for each of these keys, in their order and at once. */
  publish(keys: readonly string[], note?: string, type?: ConformanceType): Promise<void>
}

/** The types of the events of the stream. */
type ConformanceType = 'moved' | 'seen'

async function memoryFeedUnderTest(): Promise<FeedUnderTest> {
  const feed = memoryFeed(stream)
  return {
    feed,
    async publish(keys, note = '', type = 'moved') {
      for (const key of keys) feed.publish(1, key, type, JSON.stringify({ key, note }))
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Everything that has been published: so many events. */
async function published({ feed }: FeedUnderTest, count: number): Promise<readonly EventEnvelope[]> {
  const events: EventEnvelope[] = []
  for (let after: EventPosition | undefined; events.length < count; ) {
    const batch = await feed.read({ stream, after, waitMs: 1_000 })
    events.push(...batch.events)
    after = batch.next
  }
  return events
}

/** A sink that remembers, refuses when it is told to, and has room or none. */
class MemorySink implements EventSink {
  readonly accepted: EventEnvelope[] = []
  deliveries = 0
  /** Deliveries to refuse before the next is taken: a consumer that crashes before it has written. */
  refuse = 0
  start: FeedStart
  #room = Promise.withResolvers<void>()
  readonly #seen: Set<string>

  constructor(shared: { readonly seen: Set<string>; readonly start?: FeedStart } = { seen: new Set() }) {
    this.#seen = shared.seen
    this.start = shared.start ?? { kind: 'earliest' }
    this.#room.resolve()
  }

  get numbers(): readonly string[] {
    return this.accepted.map(({ key, keyVersion }) => `${key}${keyVersion}`)
  }

  numbersOf(key: string): readonly string[] {
    return this.accepted.filter((event) => event.key === key).map(({ keyVersion }) => `${key}${keyVersion}`)
  }

  close(): void {
    this.#room = Promise.withResolvers()
  }

  open(): void {
    this.#room.resolve()
  }

  async position(): Promise<FeedStart> {
    return this.start
  }

  async accept(events: readonly EventEnvelope[], next: EventPosition | undefined): Promise<void> {
    if (events.length > 0) this.deliveries += 1
    if (this.refuse > 0 && events.length > 0) {
      this.refuse -= 1
      throw new Error('the consumer has crashed before it wrote anything')
    }
    for (const event of events) {
      if (this.#seen.has(event.id)) continue
      this.#seen.add(event.id)
      this.accepted.push(event)
    }
    if (next !== undefined) this.start = { kind: 'position', position: next }
  }

  async ready(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    aborted.catch(() => undefined)
    await Promise.race([this.#room.promise, aborted])
  }
}

async function become(timeoutMs: number, read: () => unknown, expected: unknown): Promise<void> {
  await expect.poll(read, { timeout: timeoutMs, interval: 5 }).toEqual(expected)
}

function times(count: number, ...keys: readonly string[]): readonly string[] {
  return Array.from({ length: count }, (_, index) => keys[index % keys.length] as string)
}

function numbers(count: number, key = 'a'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${key}${index + 1}`)
}

/**
 * What every bus must do, be it embedded or a broker. Within what its capabilities say: a bus that keeps no order is not
 * asked for any.
 * @example busConformance({ name: 'nats', make: async () => natsForTests() })
 */
export function busConformance({
  name,
  make,
  feed: makeFeed = memoryFeedUnderTest,
  timeoutMs = 10_000,
}: BusTraits): void {
  describe(`the bus ${name}`, () => {
    let test: BusUnderTest
    let feed: FeedUnderTest
    let ends: BusEnd[]
    beforeEach(async () => {
      test = await make()
      feed = await makeFeed()
      ends = []
    })
    afterEach(async () => {
      await Promise.all(ends.map((end) => end.close()))
      await test[Symbol.asyncDispose]()
      await feed[Symbol.asyncDispose]()
    })

    async function produce(bus: Bus): Promise<BusEnd> {
      const end = await bus.produce({ stream, service: 'publisher', feed: feed.feed })
      ends.push(end)
      return end
    }
    async function consume(bus: Bus, sink: EventSink, subscription = 'all', types = ['moved']): Promise<BusEnd> {
      const end = await bus.consume({ stream, service: 'consumer', subscription, types, sink })
      ends.push(end)
      return end
    }
    it('says what it can do', async () => {
      const { capabilities } = await test.connect()
      expect(['stream', 'key', 'none']).toContain(capabilities.order)
      expect(['event', 'position']).toContain(capabilities.acknowledges)
      expect(['outbox', 'replicated', 'disk', 'memory']).toContain(capabilities.durability)
      expect(capabilities.payloadMaxBytes).toBeGreaterThanOrEqual(1_000_000)
    })

    it('delivers everything that is published, before and after a consumer comes, as it was published', async () => {
      const bus = await test.connect()
      await produce(bus)
      await feed.publish(times(20, 'a'))
      const sink = new MemorySink()
      await consume(await test.connect(), sink)
      await become(timeoutMs, () => sink.numbers.toSorted(), numbers(20).toSorted())
      await feed.publish(times(20, 'b'))
      await become(timeoutMs, () => sink.numbers.toSorted(), [...numbers(20), ...numbers(20, 'b')].toSorted())
      const [first] = sink.accepted
      const [original] = await published(feed, 1)
      expect(first).toMatchObject({ stream, type: 'moved', version: 1, traceparent: original?.traceparent })
      expect(JSON.parse(first?.payload ?? '')).toEqual({ key: 'a', note: '' })
    })

    it('keeps the order that it says it keeps', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sink = new MemorySink()
      await consume(bus, sink)
      for (let n = 0; n < 30; n += 1) await feed.publish([`k${n % 3}`])
      await become(timeoutMs, () => sink.accepted.length, 30)
      const { order } = bus.capabilities
      for (const key of order === 'none' ? [] : ['k0', 'k1', 'k2']) {
        expect(sink.numbersOf(key)).toEqual(numbers(10, key))
      }
      const originals = (await published(feed, 30)).map(({ id }) => id)
      const got = sink.accepted.map(({ id }) => id)
      expect(order === 'stream' ? got : got.toSorted()).toEqual(order === 'stream' ? originals : originals.toSorted())
    })

    it('hands each event of a burst to all who keep up, however large it is', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sinks = [new MemorySink(), new MemorySink(), new MemorySink()]
      for (const [index, sink] of sinks.entries()) {
        await consume(await test.connect(), sink, `subscription${index}`, index === 0 ? ['seen'] : ['moved'])
      }
      const keys = ['k0', 'k1', 'k2', 'k3', 'k4']
      // More than anyone between publisher and consumer should keep in memory: of one key, then of many, and many small ones.
      const bursts = [
        { keys: ['a'], note: '' },
        { keys: times(1_000, 'a'), note: 'x'.repeat(5_000) },
        { keys: times(110, ...keys), note: 'x'.repeat(39_000) },
        { keys: times(300, ...keys), note: '' },
        { keys: times(20, ...keys), note: 'x'.repeat(900_000) },
      ]
      let count = 0
      for (const burst of bursts) {
        await feed.publish(burst.keys, burst.note)
        count += burst.keys.length
        for (const sink of sinks) await become(timeoutMs, () => sink.accepted.length, count)
      }
      const inOrder = (got: readonly string[]) => (bus.capabilities.order === 'none' ? got.toSorted() : got)
      for (const sink of sinks) {
        expect(inOrder(sink.numbersOf('a'))).toEqual(inOrder(numbers(1_001)))
        for (const key of keys) expect(inOrder(sink.numbersOf(key))).toEqual(inOrder(numbers(86, key)))
      }
    })

    it('delivers again what a consumer did not take, until it takes it', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sink = new MemorySink()
      sink.refuse = 3
      await consume(bus, sink)
      await feed.publish(times(5, 'a'))
      await become(timeoutMs, () => sink.numbers.toSorted(), numbers(5))
      expect(sink.deliveries).toBeGreaterThan(3)
    })

    it('delivers to the next process what one took no note of when it went', async () => {
      await produce(await test.connect())
      const crashing = new MemorySink()
      crashing.refuse = Number.POSITIVE_INFINITY
      const crashed = await consume(await test.connect(), crashing)
      await feed.publish(times(5, 'a'))
      await become(timeoutMs, () => crashing.deliveries > 0, true)
      await crashed.close()
      const sink = new MemorySink()
      await consume(await test.connect(), sink)
      await become(timeoutMs, () => sink.numbers.toSorted(), numbers(5))
      expect(crashing.accepted).toEqual([])
    })

    it('holds back while there is no room, and goes on when there is', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sink = new MemorySink()
      const other = new MemorySink()
      sink.close()
      await consume(bus, sink)
      await consume(bus, other, 'other')
      await feed.publish(times(20, 'a'))
      await become(timeoutMs, () => other.accepted.length, 20)
      expect(sink.deliveries).toBe(0)
      sink.open()
      await become(timeoutMs, () => sink.numbers.toSorted(), numbers(20).toSorted())
    })

    it('tells each subscription of every event, and of its types alone the payload', async () => {
      const bus = await test.connect()
      await produce(bus)
      const moved = new MemorySink()
      const seen = new MemorySink()
      await consume(bus, moved, 'moved', ['moved'])
      await consume(bus, seen, 'seen', ['seen'])
      await feed.publish(times(3, 'a'))
      await feed.publish(times(2, 'a'), '', 'seen')
      const wanted = (sink: MemorySink) => sink.accepted.filter(({ payload }) => payload !== undefined)
      await become(timeoutMs, () => wanted(moved).length, 3)
      await become(timeoutMs, () => wanted(seen).length, 2)
      expect(wanted(seen).map(({ keyVersion }) => keyVersion)).toEqual([4, 5])
    })

    it('shares a subscription among processes: each event reaches one that takes it', async () => {
      await produce(await test.connect())
      const seen = new Set<string>()
      const sinks = [new MemorySink({ seen }), new MemorySink({ seen })]
      for (const sink of sinks) await consume(await test.connect(), sink)
      await feed.publish(times(40, 'a'))
      const all = () => sinks.flatMap((sink) => sink.numbers).toSorted()
      await become(timeoutMs, all, numbers(40).toSorted())
      expect(seen.size).toBe(40)
    })

    it('carries the largest payload that it says it carries', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sink = new MemorySink()
      await consume(await test.connect(), sink)
      const room = bus.capabilities.payloadMaxBytes - JSON.stringify({ key: 'a', note: '' }).length
      const note = 'ä'.repeat(room / 2) + 'x'.repeat(room % 2)
      await feed.publish(['a'], note)
      await become(timeoutMs, () => sink.accepted.length, 1)
      expect(JSON.parse(sink.accepted[0]?.payload ?? '')).toEqual({ key: 'a', note })
    })

    it('lets a consumer wait for a publisher that comes later, goes, and comes back', async () => {
      const sink = new MemorySink()
      await consume(await test.connect(), sink)
      const first = await produce(await test.connect())
      await feed.publish(times(3, 'a'))
      await become(timeoutMs, () => sink.accepted.length, 3)
      await first.close()
      await feed.publish(times(3, 'a'))
      await produce(await test.connect())
      await become(timeoutMs, () => sink.numbers.toSorted(), numbers(6))
      expect(sink.deliveries).toBeGreaterThan(1)
    })

    it('has handed nothing over any more when a consumer is closed', async () => {
      const bus = await test.connect()
      await produce(bus)
      const sink = new MemorySink()
      const end = await consume(bus, sink)
      await feed.publish(times(3, 'a'))
      await become(timeoutMs, () => sink.accepted.length, 3)
      await end.close()
      await feed.publish(times(3, 'a'))
      const other = new MemorySink()
      await consume(bus, other, 'other')
      await become(timeoutMs, () => other.accepted.length, 6)
      expect(sink.accepted).toHaveLength(3)
      await bus.close()
      await bus.close()
    })
  })
}

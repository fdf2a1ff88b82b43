import type { Handle } from '../../call/call.ts'
import type { Clock } from '../../std/clock.ts'
import type { Bus, BusCapabilities, BusEnd, Consumer, Producer } from '../../store/outbox/bus.ts'
import { eventPayloadMaxBytes } from '../../store/outbox/publish-buffer.ts'
import { FeedConsumer, type FeedConsumerLog } from './feed-consumer.ts'
import type { ReadableFeed } from './readable-feed.ts'
import { RemoteFeed } from './remote-feed.ts'
import { serveFeed } from './serve-feed.ts'

/** What the embedded bus of a process is made of. */
export interface LocalBusOptions {
  /** Where the calls to feeds of other processes go. */
  readonly send: Handle
  /** Lets other processes call a feed of this one. */
  readonly open: (contracts: readonly string[], handle: Handle) => void
  readonly shut: (contracts: readonly string[]) => void
  /** Whether a service has said that it subscribes to the contract whose feed this is. */
  readonly mayRead: (from: string, feedContract: string) => boolean
  readonly clock: Clock
  readonly random: () => number
  readonly log: FeedConsumerLog
  /**
   * How consumers read the feeds of this process. `direct` (default): from the database. `link`: as if they were in
   * another process. `link-twice`: so, and each event is delivered twice (the wire runner).
   */
  readonly localReads?: 'direct' | 'link' | 'link-twice'
}

/** The bus that needs no broker: what is published stays in the publisher's database, and consumers read it there. */
export interface LocalBus extends Bus {
  /** Who waits for events is answered at once: the process is about to go. */
  endWaits(): void
  /** How a service reads the events of a contract, wherever they are published. */
  feedFor(stream: string, service: string): ReadableFeed
}

const capabilities: BusCapabilities = {
  order: 'stream',
  acknowledges: 'position',
  countsDeliveries: false,
  replays: true,
  payloadMaxBytes: eventPayloadMaxBytes,
  durability: 'outbox',
}

/**
 * Makes the embedded bus of a process: consumers in the process of a producer read its outbox, those elsewhere its feed
 * contract, by long polls over ordinary calls.
 * @example const bus = localBus({ send: mesh.send, open: mesh.open, shut: mesh.shut, mayRead, clock, random, log })
 */
export function localBus(options: LocalBusOptions): LocalBus {
  const { clock, localReads = 'direct' } = options
  const feeds = new Map<string, ReadableFeed>()
  const served = new Set<{ endWaits(): void }>()
  const ends = new Set<BusEnd>()
  const arrivals = new Set<() => void>()

  const feedFor = (stream: string, service: string): ReadableFeed => {
    const here = localReads === 'direct' ? feeds.get(stream) : undefined
    return here ?? new RemoteFeed({ stream, service, send: options.send, clock })
  }
  const tracked = (end: BusEnd): BusEnd => {
    const own = {
      async close() {
        ends.delete(own)
        await end.close()
      },
    }
    ends.add(own)
    return own
  }
  return {
    name: 'embedded',
    capabilities,
    async produce({ stream, feed }: Producer) {
      const serving = serveFeed(stream, feed, options.mayRead)
      feeds.set(stream, feed)
      served.add(serving)
      options.open([serving.contract], serving.handle)
      for (const tell of arrivals) tell()
      return tracked({
        async close() {
          serving.endWaits()
          options.shut([serving.contract])
          served.delete(serving)
          if (feeds.get(stream) === feed) feeds.delete(stream)
        },
      })
    },
    async consume(consumer: Consumer) {
      const reading = new FeedConsumer(consumer, {
        feedFor: () => feedFor(consumer.stream, consumer.service),
        clock,
        random: options.random,
        log: options.log,
        deliveries: localReads === 'link-twice' ? 2 : 1,
      })
      const wake = () => reading.wake()
      arrivals.add(wake)
      return tracked({
        async close() {
          arrivals.delete(wake)
          await reading.close()
        },
      })
    },
    feedFor,
    endWaits() {
      for (const each of served) each.endWaits()
    },
    async close() {
      await Promise.all([...ends].map((end) => end.close()))
    },
  }
}

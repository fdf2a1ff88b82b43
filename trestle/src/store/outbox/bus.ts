import type { EventEnvelope, EventPosition } from './event-envelope.ts'
import type { EventFeed } from './event-feed.ts'

/** How events cross from the service that published them to those that handle them. */
export interface Bus {
  readonly name: string
  readonly capabilities: BusCapabilities
  /** Opens the way for the events of a contract whose database is in this process. */
  produce(producer: Producer): Promise<BusEnd>
  /** Hands a stream to a subscription. Several processes may do so for one subscription at once. */
  consume(consumer: Consumer): Promise<BusEnd>
  close(): Promise<void>
}

/** What a bus can do. A system that needs what its bus lacks does not start, and says why. */
export interface BusCapabilities {
  /** Within which bounds events arrive in their order. */
  readonly order: 'stream' | 'key' | 'none'
  /** What is acknowledged at once: one event, or everything up to a place. */
  readonly acknowledges: 'event' | 'position'
  /** Whether it says how often it has delivered an event. */
  readonly countsDeliveries: boolean
  /** Whether a reader may go back by itself; where not, a replay is read from the outbox. */
  readonly replays: boolean
  readonly payloadMaxBytes: number
  /** What an acknowledged publication survives. `outbox`: nothing leaves the publisher's database. */
  readonly durability: 'outbox' | 'replicated' | 'disk' | 'memory'
}

/** One end of the bus at work. */
export interface BusEnd {
  /** Nothing more is taken or handed over; what was handed over is finished first. */
  close(): Promise<void>
}

export interface Producer {
  /** Id of the contract. */
  readonly stream: string
  readonly service: string
  readonly feed: EventFeed
}

export interface Consumer {
  readonly stream: string
  readonly service: string
  /** Unique within the service. */
  readonly subscription: string
  /** The types whose payload is wanted. Read again whenever the sink has turned: replicas of two versions may want others. */
  readonly types: readonly string[]
  readonly sink: EventSink
}

/** Where a reader goes on, or begins. */
export type FeedStart =
  | { readonly kind: 'position'; readonly position: EventPosition }
  /** With the oldest event that is kept, or with what is published from now on. */
  | { readonly kind: 'earliest' | 'latest' }
  /** With what was published since then, milliseconds since 1970. */
  | { readonly kind: 'time'; readonly timeMs: number }

/** The consumer's end: what has been accepted is written down there and needs no bus any more. */
export interface EventSink {
  /** The place behind which to go on, or where to begin: then the first `accept` notes the place, be it without events. */
  position(): Promise<FeedStart>
  /**
   * Writes down in one transaction that these are to be handled, each once, and the place. Resolves when that is
   * certain: then the bus may forget them. Rejects when nothing was written; the bus hands them over again, later.
   * @param next where to go on; `undefined` when the bus keeps the place itself
   */
  accept(events: readonly EventEnvelope[], next: EventPosition | undefined): Promise<void>
  /** Resolves when there is room: so many events may wait to be handled, and no more. */
  ready(signal: AbortSignal): Promise<void>
  /** Aborts when the place is another than was said: a replay has begun, or another process pulls. Then a new one begins. */
  readonly turned?: AbortSignal
}

import type { EventEnvelope, EventPosition } from './event-envelope.ts'

/** What is asked of a feed. */
export interface FeedRequest {
  readonly stream: string
  /** Behind which event to go on; `undefined`: from the oldest that is kept. */
  readonly after: EventPosition | undefined
  /** The types whose payload is wanted; of others the header comes. Default: all. */
  readonly types?: readonly string[]
  /** Events at most; default 500. */
  readonly max?: number
  /** How long to wait for the first event when there is none; default 0. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
  /** Names who reads, service and subscription: what it has not read is kept for it. Default: nobody in particular. */
  readonly reader?: string
}

/** Events in their order, and where to go on. */
export interface FeedBatch {
  readonly events: readonly EventEnvelope[]
  /** Where to go on: behind the last of these events, or where it was when there are none. */
  readonly next: EventPosition
  /** There was nothing more when it was read. */
  readonly caughtUp: boolean
}

/** The events of one database, read in the order in which they became certain. The same for every reader. */
export interface EventFeed {
  /** @throws StoreError `unavailable`; `feed_position_lost` when what comes after `after` is no longer kept */
  read(request: FeedRequest): Promise<FeedBatch>
  /** Where a reader begins that wants only what comes from now on. */
  head(): Promise<EventPosition>
  /**
   * Where a reader begins that wants what was published since `timeMs`. While a transaction is open that holds others back,
   * some of what was published before comes too.
   */
  positionAt(timeMs: number): Promise<EventPosition>
  /** Called, coalesced, after a transaction of this process has published something. Returns its end. */
  onPublished(listener: () => void): () => void
}

import type { Clock } from '../../std/clock.ts'
import { crashPoint } from '../../std/crash-points.ts'
import type { EventPosition } from './event-envelope.ts'
import type { EventFeed, FeedBatch, FeedRequest } from './event-feed.ts'
import { type Ask, lookAtFeed, readHead, readPositionBefore } from './feed-rows.ts'
import { beginning, earlierOf } from './feed-position.ts'
import type { HeldWatch } from './held-watch.ts'
import type { Outbox } from './outbox.ts'
import type { ReaderPlaces } from './reader-places.ts'
import { StreamTail } from './stream-tail.ts'

const defaultMax = 500

export interface FeedDeps {
  readonly ask: Ask
  readonly outbox: Outbox
  readonly clock: Clock
  readonly places: ReaderPlaces
  readonly held: HeldWatch
}

/** What the transactions of one database have published: the way out. */
export class OutboxFeed implements EventFeed {
  readonly #ask: Ask
  readonly #outbox: Outbox
  readonly #clock: Clock
  readonly #places: ReaderPlaces
  readonly #held: HeldWatch
  /** One for each contract of the service that somebody reads. */
  readonly #tails = new Map<string, StreamTail>()

  constructor({ ask, outbox, clock, places, held }: FeedDeps) {
    this.#ask = ask
    this.#outbox = outbox
    this.#clock = clock
    this.#places = places
    this.#held = held
    outbox.onPublished(() => {
      for (const tail of this.#tails.values()) tail.published()
    })
  }

  async read({ stream, after, types, max = defaultMax, waitMs = 0, signal, reader }: FeedRequest): Promise<FeedBatch> {
    if (reader !== undefined) this.#places.note(stream, reader, after ?? beginning)
    crashPoint('outbox.before-read')
    const batch = await this.#tailOf(stream).read({ after, types, max, waitMs, signal })
    crashPoint('outbox.after-read')
    return batch
  }

  head(): Promise<EventPosition> {
    return readHead(this.#ask)
  }

  async positionAt(timeMs: number): Promise<EventPosition> {
    // What is being committed may still come before the first that is seen, and never before the head.
    const head = await this.head()
    const found = await readPositionBefore(this.#ask, timeMs)
    return found === undefined ? head : earlierOf(found, head)
  }

  onPublished(listener: () => void): () => void {
    return this.#outbox.onPublished(listener)
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close()
  }

  #tailOf(stream: string): StreamTail {
    let tail = this.#tails.get(stream)
    if (tail === undefined) {
      tail = new StreamTail({
        look: async (after, types, max) => {
          const found = await lookAtFeed(this.#ask, stream, after, types, max)
          this.#held.saw(found.certain, found.held)
          return found
        },
        clock: this.#clock,
      })
      this.#tails.set(stream, tail)
    }
    return tail
  }
}

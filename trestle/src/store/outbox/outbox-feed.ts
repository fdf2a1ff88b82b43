import type { Clock } from '../../std/clock.ts'
import type { EventPosition } from './event-envelope.ts'
import type { EventFeed, FeedBatch, FeedRequest } from './event-feed.ts'
import { type Ask, beginning, envelopeOf, readFeed, readHead, readPositionAt } from './feed-row.ts'
import type { Outbox } from './outbox.ts'

const defaultMax = 500

/** Reads what the transactions of one database have published. */
export class OutboxFeed implements EventFeed {
  readonly #ask: Ask
  readonly #outbox: Outbox
  readonly #clock: Clock

  constructor(ask: Ask, outbox: Outbox, clock: Clock) {
    this.#ask = ask
    this.#outbox = outbox
    this.#clock = clock
  }

  async read(request: FeedRequest): Promise<FeedBatch> {
    const endsAt = this.#clock.monotonic() + (request.waitMs ?? 0)
    for (;;) {
      const batch = await this.#readOnce(request)
      const leftMs = endsAt - this.#clock.monotonic()
      if (batch.events.length > 0 || leftMs <= 0 || request.signal?.aborted === true) return batch
      await this.#wake(Math.min(leftMs, 100), request.signal)
    }
  }

  async #readOnce({ stream, after = beginning, types, max = defaultMax }: FeedRequest): Promise<FeedBatch> {
    const { epoch, xid, seq } = after
    const { rows } = await this.#ask(readFeed, [stream, epoch, xid, seq, types ?? null, max])
    const events = rows[0]?.['id'] === null ? [] : rows.map((row) => envelopeOf(stream, row))
    const caughtUp = events.length < max
    const last = events.at(-1)?.position ?? after
    return { events, next: last, caughtUp }
  }

  async head(): Promise<EventPosition> {
    const { rows } = await this.#ask(readHead, [])
    return { epoch: Number(rows[0]?.['epoch']), xid: rows[0]?.['xid'] as string, seq: '0' }
  }

  async positionAt(timeMs: number): Promise<EventPosition> {
    const { rows } = await this.#ask(readPositionAt, [timeMs])
    const [row] = rows
    if (row === undefined) return await this.head()
    const seq = BigInt(row['seq'] as string) - 1n
    return { epoch: Number(row['epoch']), xid: row['feed_xid'] as string, seq: String(seq) }
  }

  onPublished(listener: () => void): () => void {
    return this.#outbox.onPublished(listener)
  }

  #wake(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel()
        stop()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#clock.setTimeout(done, ms)
      const stop = this.#outbox.onPublished(done)
      signal?.addEventListener('abort', done)
    })
  }
}

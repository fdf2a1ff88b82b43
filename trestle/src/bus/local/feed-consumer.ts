import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import { crashPoint } from '../../std/crash-points.ts'
import { Seldom } from '../../std/seldom.ts'
import { transactionScope } from '../../std/transaction-scope.ts'
import type { Consumer, FeedStart } from '../../store/outbox/bus.ts'
import type { EventPosition } from '../../store/outbox/event-envelope.ts'
import type { FeedBatch } from '../../store/outbox/event-feed.ts'
import { BatchSize } from './batch-size.ts'
import type { ReadableFeed } from './readable-feed.ts'

/** Where a consumer says that it waits for its producer. */
export interface FeedConsumerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface FeedConsumerDeps {
  /** Asked each time: a producer may come into this process, or go. */
  readonly feedFor: () => ReadableFeed
  readonly clock: Clock
  readonly random: () => number
  readonly log: FeedConsumerLog
  /** How often each batch is handed over. */
  readonly deliveries: 1 | 2
}

/** How long one read waits for events, milliseconds. */
const waitMs = 15_000
const retry = { baseMs: 50, maxMs: 1_000 }

/** Reads a feed for one subscription, as long as the sink takes what comes. */
export class FeedConsumer {
  readonly #consumer: Consumer
  readonly #deps: FeedConsumerDeps
  readonly #closing = new AbortController()
  readonly #seldom: Seldom
  readonly #running: Promise<void>
  #wake: () => void = () => undefined
  readonly #size = new BatchSize()
  #failures = 0
  #isAway = false

  constructor(consumer: Consumer, deps: FeedConsumerDeps) {
    this.#consumer = consumer
    this.#deps = deps
    this.#seldom = new Seldom(deps.clock)
    this.#running = transactionScope.outside(() => this.#run())
  }

  /** A producer has come: it is asked now. */
  wake(): void {
    this.#wake()
  }

  /** What is being handed over is finished. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the consumer is closed'))
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      let turned: AbortSignal | undefined
      try {
        await this.#consumer.sink.ready(signal)
        turned = this.#consumer.sink.turned
        await this.#pull(turned)
        this.#failures = 0
      } catch (error) {
        if (signal.aborted) return
        // Nothing is wrong: the place is another one now.
        if (turned?.aborted === true) continue
        this.#say(error)
        await this.#wait(backoffMs(this.#failures++, { ...retry, random: this.#deps.random }))
      }
    }
  }

  /** Hands over what there is, while there is room. The next batch is read while the sink writes the one before. */
  async #pull(turned: AbortSignal | undefined): Promise<void> {
    const { sink } = this.#consumer
    const feed = this.#deps.feedFor()
    const after = await this.#after(feed, await sink.position(), turned)
    // One that was away is asked without waiting for events: that it is back is known, and said, at once.
    let batch = await this.#read(feed, after, this.#isAway ? 0 : waitMs, turned)
    this.#sayBack()
    if (batch.events.length === 0 && isSame(batch.next, after)) return
    for (;;) {
      const ahead = batch.caughtUp ? undefined : this.#read(feed, batch.next, 0, turned)
      // Awaited below, unless the batch before cannot be handed over: then it is read again.
      ahead?.catch(() => undefined)
      crashPoint('bus.before-accept')
      await this.#handOver(batch, turned)
      crashPoint('bus.after-accept')
      if (ahead === undefined || this.#closing.signal.aborted) return
      const next = batch.next
      batch = await ahead
      await sink.ready(this.#closing.signal)
      const now = await sink.position()
      // A replay has begun, or another process has pulled meanwhile: what was read ahead is of no use.
      if (now.kind !== 'position' || !isSame(now.position, next) || batch.events.length === 0) return
    }
  }

  async #handOver({ events, next }: FeedBatch, turned: AbortSignal | undefined): Promise<void> {
    this.#size.saw(events)
    for (let time = 0; time < this.#deps.deliveries; time += 1) await this.#accept(events, next, turned)
  }

  /** What was read behind a place that is another one now would be noted for the new one, and a replay end before it begins. */
  async #accept(events: FeedBatch['events'], next: EventPosition, turned: AbortSignal | undefined): Promise<void> {
    turned?.throwIfAborted()
    await this.#consumer.sink.accept(events, next)
  }

  #read(
    feed: ReadableFeed,
    after: EventPosition | undefined,
    wait: number,
    turned: AbortSignal | undefined,
  ): Promise<FeedBatch> {
    const { stream, types, service, subscription } = this.#consumer
    const closing = this.#closing.signal
    const signal = turned === undefined ? closing : AbortSignal.any([closing, turned])
    return feed.read({
      stream,
      after,
      types,
      max: this.#size.events,
      waitMs: wait,
      signal,
      reader: `${service}/${subscription}`,
    })
  }

  /** A beginning that was said in words is made a place and noted at once: it must be the same after a crash. */
  async #after(
    feed: ReadableFeed,
    start: FeedStart,
    turned: AbortSignal | undefined,
  ): Promise<EventPosition | undefined> {
    if (start.kind === 'position') return start.position
    if (start.kind === 'earliest') return undefined
    const position = start.kind === 'time' ? await feed.positionAt(start.timeMs) : await feed.head()
    await this.#accept([], position, turned)
    return position
  }

  #say(error: unknown): void {
    const { stream, subscription } = this.#consumer
    const code = (error as { readonly code?: unknown } | null)?.code
    if (code === 'unavailable' || code === 'not_found') {
      if (!this.#isAway) this.#deps.log.warn({ subscription, stream }, `waits: the producer of ${stream} is not there`)
      this.#isAway = true
      return
    }
    const unsaid = this.#seldom.again(String(code))
    if (unsaid === undefined) return
    if (code === 'feed_position_lost') {
      const why = error instanceof Error ? error.message : String(error)
      const what = `the place of this subscription in ${stream} is lost; replay it from a time (${why})`
      this.#deps.log.error({ subscription, stream, unsaid, err: error }, what)
      return
    }
    this.#deps.log.warn({ subscription, stream, unsaid, err: error }, 'events cannot be taken; trying again')
  }

  #sayBack(): void {
    if (!this.#isAway) return
    this.#isAway = false
    const { stream, subscription } = this.#consumer
    this.#deps.log.info({ subscription, stream }, `the producer of ${stream} is there`)
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.setTimeout(resolve, ms)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}

function isSame(a: EventPosition, b: EventPosition | undefined): boolean {
  return b !== undefined && a.epoch === b.epoch && a.xid === b.xid && a.seq === b.seq
}

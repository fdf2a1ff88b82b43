import type { Clock, Timer } from '../../std/clock.ts'
import { StoreError } from '../store-error.ts'
import type { EventPosition } from './event-envelope.ts'
import type { FeedBatch } from './event-feed.ts'
import { beginning } from './feed-position.ts'
import type { FeedLook } from './feed-rows.ts'
import { RecentEvents } from './recent-events.ts'

/** What a reader of one stream asks for, complete. */
export interface TailRequest {
  readonly after: EventPosition | undefined
  readonly types: readonly string[] | undefined
  readonly max: number
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

export interface TailDeps {
  /** One read of the database. */
  readonly look: (after: EventPosition, types: readonly string[] | undefined, max: number) => Promise<FeedLook>
  readonly clock: Clock
}

/** Events that one read for all who wait brings. */
const pollMaxEvents = 1_000
/** How soon to look again while something is committed but held back: it becomes certain when another transaction ends. */
const heldPollMs = { least: 1, most: 64 }
/** How often to look for what other processes have published: soon after there was something, less often later. */
const idlePollMs = { least: 20, most: 250 }

interface Waiter {
  readonly request: TailRequest
  readonly after: EventPosition
  readonly types: ReadonlySet<string> | undefined
  readonly done: (batch: FeedBatch | Promise<FeedBatch>) => void
  readonly fail: (error: unknown) => void
}

interface Failure {
  readonly error: unknown
}

/**
 * The end of one stream, where all readers of a process that keep up wait together: one read of the database serves them
 * all. Readers that are behind read for themselves.
 */
export class StreamTail {
  readonly #deps: TailDeps
  readonly #waiting = new Set<Waiter>()
  #recent: RecentEvents | undefined
  /** Something has been published since the last look began. */
  #published = true
  #caughtUp = false
  #polling: Promise<Failure | undefined> | undefined
  #timer: Timer | undefined
  #pauseMs = idlePollMs.least
  /** When to look again, whoever waits then. */
  #dueMs = 0
  #closed = false

  constructor(deps: TailDeps) {
    this.#deps = deps
  }

  get waiting(): number {
    return this.#waiting.size
  }

  async read(request: TailRequest): Promise<FeedBatch> {
    const after = request.after ?? beginning
    // What is the oldest that is kept, only the database knows.
    if (request.after === undefined || !this.#covers(after)) return await this.#readOwn(after, request)
    const known = this.#known(after, request)
    if (known !== undefined) return known
    if (request.waitMs > 0) return await this.#wait(after, request)
    await this.#pollAnew()
    // What was found first may be forgotten again by now.
    if (!this.#covers(after)) return await this.#readOwn(after, request)
    return this.#known(after, request) ?? nothing(after)
  }

  /** A transaction of this process has published something. */
  published(): void {
    this.#published = true
    if (this.#waiting.size > 0) this.#pollSoon()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    for (const waiter of this.#waiting) waiter.fail(new StoreError('unavailable', 'The store was closed'))
  }

  /** For a reader that is behind: only it reads there. */
  async #readOwn(after: EventPosition, request: TailRequest): Promise<FeedBatch> {
    const { types, max } = request
    const { events, more, certain, dropped, ahead } = await this.#deps.look(after, types, max)
    if (dropped && request.after !== undefined) {
      throw new StoreError('feed_position_lost', 'Some of the events behind this position are no longer kept')
    }
    if (ahead) {
      throw new StoreError(
        'feed_position_lost',
        'The database was put back to a state before this position: `trestle store dump` and `load` begin a new epoch',
      )
    }
    const last = events.at(-1)
    if (last !== undefined) {
      return { events, next: last.position, caughtUp: !more }
    }
    // Behind what is no longer kept there is no event to stand at.
    const next = dropped ? certain : after
    this.#recent ??= new RecentEvents(next)
    this.#recent.nothingBetween(next, certain)
    if (request.waitMs <= 0) return nothing(next)
    return (this.#covers(next) ? this.#known(next, request) : undefined) ?? (await this.#wait(next, request))
  }

  #covers(after: EventPosition): boolean {
    return this.#recent?.covers(after) === true
  }

  #known(after: EventPosition, { types, max }: Pick<TailRequest, 'max' | 'types'>): FeedBatch | undefined {
    return this.#knownOf(after, types === undefined ? undefined : new Set(types), max)
  }

  #knownOf(after: EventPosition, types: ReadonlySet<string> | undefined, max: number): FeedBatch | undefined {
    const events = (this.#recent as RecentEvents).after(after, types, max)
    const last = events.at(-1)
    if (last === undefined) return undefined
    return { events, next: last.position, caughtUp: events.length < max && this.#caughtUp }
  }

  #wait(after: EventPosition, request: TailRequest): Promise<FeedBatch> {
    const { types, waitMs, signal } = request
    return new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel()
        signal?.removeEventListener('abort', giveUp)
        this.#waiting.delete(waiter)
        if (this.#waiting.size === 0) this.#rest()
      }
      const giveUp = () => waiter.done(nothing(after))
      const waiter: Waiter = {
        request,
        after,
        types: types === undefined ? undefined : new Set(types),
        done: (batch) => {
          end()
          resolve(batch)
        },
        fail: (error) => {
          end()
          reject(error as Error)
        },
      }
      const timer = this.#deps.clock.setTimeout(giveUp, waitMs)
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', giveUp)
      if (signal?.aborted === true) giveUp()
      else if (this.#closed) waiter.fail(new StoreError('unavailable', 'The store was closed'))
      else this.#pollSoon()
    })
  }

  /** Nobody waits: nothing is looked for. */
  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** At once when something has been published, else when it is time. */
  #pollSoon(): void {
    if (this.#closed || this.#polling !== undefined) return
    const leftMs = this.#published ? 0 : this.#dueMs - this.#deps.clock.monotonic()
    if (leftMs <= 0) {
      this.#rest()
      void this.#poll()
      return
    }
    this.#timer ??= this.#deps.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#polling === undefined) void this.#poll()
    }, leftMs)
  }

  /** Looks once, beginning now: what is committed already is found. */
  async #pollAnew(): Promise<void> {
    await this.#polling
    // One that runs by now has begun after we were asked.
    const failure = await (this.#polling ?? this.#poll())
    if (failure !== undefined) throw failure.error as Error
  }

  /** Never rejects. */
  #poll(): Promise<Failure | undefined> {
    this.#polling = this.#pollOnce()
      .then(
        () => undefined,
        (error: unknown) => {
          for (const waiter of this.#waiting) waiter.fail(error)
          this.#pauseMs = idlePollMs.most
          return { error }
        },
      )
      .finally(() => {
        this.#polling = undefined
        this.#dueMs = this.#deps.clock.monotonic() + this.#pauseMs
        if (this.#waiting.size > 0) this.#pollSoon()
      })
    return this.#polling
  }

  async #pollOnce(): Promise<void> {
    const recent = this.#recent
    if (recent === undefined) return
    this.#published = false
    const { events, more, certain, held, dropped, ahead } = await this.#deps.look(
      recent.until,
      undefined,
      pollMaxEvents,
    )
    if (certain.epoch !== recent.until.epoch) recent.clear()
    this.#caughtUp = !more
    // The place that all share is lost. What that means for a reader depends on where it is itself.
    if (dropped || ahead) this.#recent = undefined
    else recent.add(events, certain)
    for (const waiter of this.#waiting) this.#answer(waiter)
    if (more) this.#published = true
    const { least, most } = held ? heldPollMs : idlePollMs
    this.#pauseMs = events.length > 0 ? least : Math.min(Math.max(this.#pauseMs * 2, least), most)
  }

  /** With what has come, if something has. One that is not where the others are reads for itself, and waits no longer. */
  #answer({ after, types, request, done }: Waiter): void {
    const batch = this.#covers(after)
      ? this.#knownOf(after, types, request.max)
      : this.#readOwn(after, { ...request, waitMs: 0 })
    if (batch !== undefined) done(batch)
  }
}

function nothing(after: EventPosition): FeedBatch {
  return { events: [], next: after, caughtUp: true }
}

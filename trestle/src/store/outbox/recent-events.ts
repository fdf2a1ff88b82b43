import type { EventEnvelope, EventPosition } from './event-envelope.ts'
import { comparePositions } from './feed-position.ts'

/**
 * What is kept of the end of a stream for readers that follow it, so that all of them cost one read. What was added last
 * is kept whole, be it more: they have yet to see it.
 */
const recentMaxEvents = 4_096
const recentMaxCharacters = 4 << 20

/**
 * The events of a stream from one place to another, without a gap: the end of what is certain. `until` is the last event, and
 * not how far the database is: a crash takes back the numbers of transactions that waited for no disk, and gives them again.
 */
export class RecentEvents {
  #events: EventEnvelope[] = []
  #characters = 0
  #since: EventPosition
  #until: EventPosition
  #certain: EventPosition

  constructor(from: EventPosition) {
    this.#since = from
    this.#until = from
    this.#certain = from
  }

  /** Everything up to here is known. */
  get until(): EventPosition {
    return this.#until
  }

  /** Whether everything that follows the position, up to `until`, is here. Where the database has not been is nobody's place. */
  covers(after: EventPosition): boolean {
    return comparePositions(after, this.#since) >= 0 && comparePositions(after, this.#certain) <= 0
  }

  /** A look has found no event between a place and where the database is certain. */
  nothingBetween(after: EventPosition, certain: EventPosition): void {
    this.#certain = certain
    if (comparePositions(after, this.#since) < 0 && comparePositions(this.#since, certain) <= 0) this.#since = after
  }

  /** Those that follow `until`, up to where the database is certain. */
  add(events: readonly EventEnvelope[], certain: EventPosition): void {
    const characters = events.reduce((sum, event) => sum + sizeOf(event), 0)
    if (events.length > 0) this.#makeRoom(events.length, characters)
    this.#characters += characters
    this.#events.push(...events)
    this.#until = events.at(-1)?.position ?? this.#until
    this.#certain = certain
  }

  /** Forgets the events, and goes on from where it is: the database may have another past now. */
  clear(): void {
    this.#events = []
    this.#characters = 0
    this.#since = this.#until
  }

  /** Those that follow the position, at most `max`; header-only where the type is not among `types`. */
  after(position: EventPosition, types: ReadonlySet<string> | undefined, max: number): readonly EventEnvelope[] {
    const from = this.#indexAfter(position)
    const found = this.#events.slice(from, from + max)
    if (types === undefined) return found
    return found.map((event) => (types.has(event.type) ? event : { ...event, payload: undefined }))
  }

  #indexAfter(position: EventPosition): number {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = this.#events[middle] as EventEnvelope
      if (comparePositions(event.position, position) > 0) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Takes half of them away at once: one by one would move all others each time. */
  #makeRoom(count: number, characters: number): void {
    const isFull = () =>
      this.#events.length + count > recentMaxEvents || this.#characters + characters > recentMaxCharacters
    while (this.#events.length > 0 && isFull()) {
      const gone = this.#events.splice(0, Math.ceil(this.#events.length / 2))
      for (const event of gone) this.#characters -= sizeOf(event)
      this.#since = gone.at(-1)?.position ?? this.#since
    }
  }
}

function sizeOf({ payload = '', key }: EventEnvelope): number {
  return payload.length + key.length + 200
}

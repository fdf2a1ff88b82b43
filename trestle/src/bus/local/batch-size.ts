import type { EventEnvelope } from '../../store/outbox/event-envelope.ts'
import type { FeedBatch } from '../../store/outbox/event-feed.ts'

/** Characters of payloads that one batch should hold: many small events, or a few large ones. */
const batchMaxCharacters = 2 << 20
const eventsMax = 1_000
const eventsAtFirst = 64

/** How many events to ask for, by how large the last ones were: it is not known before what comes. */
export class BatchSize {
  #events = eventsAtFirst

  get events(): number {
    return this.#events
  }

  /** Grows by doubling, and shrinks at once. */
  saw(events: readonly EventEnvelope[]): void {
    if (events.length === 0) return
    const average = charactersOf(events) / events.length
    const few = average === 0 ? eventsMax : Math.floor(batchMaxCharacters / average)
    this.#events = Math.max(1, Math.min(eventsMax, this.#events * 2, few))
  }
}

/** As many events of a batch as fit into one message; at least one. */
export function fitting(batch: FeedBatch): FeedBatch {
  let characters = 0
  const end = batch.events.findIndex(({ payload }, index) => {
    characters += payload?.length ?? 0
    return index > 0 && characters > batchMaxCharacters
  })
  const last = batch.events[end - 1]
  if (end === -1 || last === undefined) return batch
  return { events: batch.events.slice(0, end), next: last.position, caughtUp: false }
}

function charactersOf(events: readonly EventEnvelope[]): number {
  return events.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0)
}

import { uuidv7 } from '../std/ids.ts'
import { formatTraceparent, newTrace } from '../std/trace-context.ts'
import type { EventEnvelope, EventPosition } from '../store/outbox/event-envelope.ts'
import type { EventFeed, FeedRequest } from '../store/outbox/event-feed.ts'

/** A feed without a database, for tests of what reads one. */
export interface MemoryFeed extends EventFeed {
  readonly events: readonly EventEnvelope[]
  /** Publishes so many events of a key. */
  publish(count: number, key: string, type?: string, payload?: string): void
  keyOf(id: string): string | undefined
}

const at = (count: number): EventPosition => ({ epoch: 1, xid: String(count), seq: '1' })

/** Makes an empty feed of one stream. */
export function memoryFeed(stream: string): MemoryFeed {
  const events: EventEnvelope[] = []
  const versions = new Map<string, number>()
  const listeners = new Set<() => void>()

  const wait = (ms: number, signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        listeners.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      listeners.add(done)
      signal?.addEventListener('abort', done)
    })
  const batchOf = ({ after, types, max = 500 }: FeedRequest) => {
    const from = after === undefined ? 0 : Number(after.xid)
    const found = events.slice(from, from + max)
    const seen = found.map((event) =>
      types === undefined || types.includes(event.type) ? event : { ...event, payload: undefined },
    )
    return { events: seen, next: at(from + seen.length), caughtUp: seen.length < max }
  }
  return {
    events,
    keyOf: (id) => events.find((event) => event.id === id)?.key,
    publish(count, key, type = 'moved', payload) {
      for (let more = 0; more < count; more += 1) {
        const keyVersion = (versions.get(key) ?? 0) + 1
        versions.set(key, keyVersion)
        events.push({
          id: uuidv7(),
          stream,
          type,
          version: 1,
          key,
          keyVersion,
          occurredAt: Date.now(),
          payload: payload ?? JSON.stringify({ key, n: keyVersion }),
          traceparent: formatTraceparent(newTrace()),
          position: at(events.length + 1),
        })
      }
      for (const tell of Array.from(listeners)) tell()
    },
    async read(request) {
      const endsAt = performance.now() + (request.waitMs ?? 0)
      for (;;) {
        const batch = batchOf(request)
        const leftMs = endsAt - performance.now()
        if (batch.events.length > 0 || leftMs <= 0 || request.signal?.aborted === true) return batch
        await wait(leftMs, request.signal)
      }
    },
    head: async () => at(events.length),
    positionAt: async (timeMs) => at(events.filter(({ occurredAt }) => occurredAt < timeMs).length),
    onPublished(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

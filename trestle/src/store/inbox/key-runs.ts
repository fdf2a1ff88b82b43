import type { EventEnvelope } from '../outbox/event-envelope.ts'

/** The events of one key that arrived together. */
export interface KeyRun {
  readonly key: string
  /** Lowest and highest version. */
  readonly first: number
  readonly last: number
  /** In the order of their versions, each version once. */
  readonly events: readonly EventEnvelope[]
  /** No version between the first and the last is missing, and none came twice. */
  readonly whole: boolean
  /** They arrived in this order, each once. */
  readonly inOrder: boolean
}

/** Sorts what arrived together by keys and versions. The same event twice is one. */
export function keyRuns(events: readonly EventEnvelope[]): readonly KeyRun[] {
  const byKey = new Map<string, EventEnvelope[]>()
  for (const event of events) {
    const known = byKey.get(event.key)
    if (known === undefined) byKey.set(event.key, [event])
    else known.push(event)
  }
  return [...byKey].map(([key, of]) => runOf(key, of))
}

function runOf(key: string, arrived: EventEnvelope[]): KeyRun {
  const [only] = arrived
  if (arrived.length === 1 && only !== undefined) {
    return { key, first: only.keyVersion, last: only.keyVersion, events: arrived, whole: true, inOrder: true }
  }
  const sorted = arrived.toSorted((a, b) => a.keyVersion - b.keyVersion)
  const events = sorted.filter((event, index) => event.id !== sorted[index - 1]?.id)
  const first = events[0]?.keyVersion ?? 0
  const whole = events.every(({ keyVersion }, index) => keyVersion === first + index)
  const inOrder = events.length === arrived.length && events.every((event, index) => event === arrived[index])
  return { key, first, last: events.at(-1)?.keyVersion ?? 0, events, whole, inOrder }
}

/** Whether a reader wanted it: of others only the place came. */
export function isWanted(event: EventEnvelope): boolean {
  return event.payload !== undefined
}

import type { EventPosition } from '../outbox/event-envelope.ts'
import { type AnyDb, rowsOf } from './statement.ts'

/** What a subscription has not handled: in its inbox, and with its publisher. */
export interface Unhandled {
  readonly stream: string
  /** When the oldest event had happened that waits or is parked; milliseconds since 1970. */
  readonly oldestMs: number | undefined
  /** What it has not taken yet: behind a position, since a time, or `undefined` for nothing that is there already. */
  readonly untaken: { readonly after: EventPosition | undefined } | { readonly sinceMs: number } | undefined
}

const unhandledSql = `
select s.stream, s.epoch, s.xid, s.seq, s.begins, s.begins_ms,
  (select min(i.occurred_ms) from trestle.inbox i
    where i.subscription = s.id and i.generation = s.generation and i.state = 0) as oldest_ms
from trestle.subscriptions s where s.name = $1`

type Row = Readonly<Record<string, string | number | null>>

/** What the subscription of that name has not handled; `undefined`: there is none of that name. */
export async function unhandledOf(db: AnyDb, subscription: string): Promise<Unhandled | undefined> {
  const [row] = await rowsOf<Row>(db, unhandledSql, [subscription])
  if (row === undefined) return undefined
  const oldest = row['oldest_ms'] ?? null
  return {
    stream: String(row['stream']),
    oldestMs: oldest === null ? undefined : Number(oldest),
    untaken: untakenOf(row),
  }
}

function untakenOf({ epoch, xid, seq, begins, begins_ms: beginsMs }: Row): Unhandled['untaken'] {
  if (epoch !== null && epoch !== undefined)
    return { after: { epoch: Number(epoch), xid: String(xid), seq: String(seq) } }
  if (begins === 'earliest') return { after: undefined }
  return begins === 'time' ? { sinceMs: Number(beginsMs) } : undefined
}

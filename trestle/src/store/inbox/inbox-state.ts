import { type AnyDb, rowsOf } from './statement.ts'

/** How the inbox of one subscription stands. */
export interface InboxState {
  readonly id: number
  readonly generation: number
  /** Something may be handled now. */
  readonly due: boolean
  /** Events that wait, without those of parked keys. */
  readonly waiting: number
  /** Events that wait behind parked keys. */
  readonly parkedWaiting: number
  readonly parkedKeys: number
  /** When the oldest of the waiting events that are not parked had happened; milliseconds since 1970. */
  readonly oldestMs: number | undefined
}

interface Row {
  readonly id: number
  readonly generation: number
  readonly due: boolean
  readonly waiting: string
  readonly parked_waiting: string
  readonly parked_keys: string
  readonly oldest_ms: string | null
}

// The three parts read small indexes: of what waits, of what is due, of what is parked.
const stateSql = `
select s.id, s.generation,
  exists (
    select from trestle.inbox_keys k
    where k.subscription = s.id and k.generation = s.generation and k.next_at is not null
      and (k.next_at <= now() or k.next_at > now() + interval '1 hour')) as due,
  w.waiting, w.parked_waiting, w.oldest_ms,
  (select count(*) from trestle.inbox_keys k
    where k.subscription = s.id and k.generation = s.generation and k.parked_at is not null) as parked_keys
from trestle.subscriptions s
cross join lateral (
  select count(*) filter (where k.parked_at is null) as waiting,
    count(*) filter (where k.parked_at is not null) as parked_waiting,
    min(i.occurred_ms) filter (where k.parked_at is null) as oldest_ms
  from trestle.inbox i
  join trestle.inbox_keys k on k.subscription = i.subscription and k.generation = i.generation and k.key = i.key
  where i.subscription = s.id and i.generation = s.generation and i.state = 0) w
where s.id = any($1::integer[])`

/** How the inboxes of some subscriptions stand, for those that handle, hold back and measure. */
export async function inboxStates(db: AnyDb, ids: readonly number[]): Promise<readonly InboxState[]> {
  const rows = await rowsOf<Row>(db, stateSql, [[...ids]])
  return rows.map((row) => ({
    id: row.id,
    generation: row.generation,
    due: row.due,
    waiting: Number(row.waiting),
    parkedWaiting: Number(row.parked_waiting),
    parkedKeys: Number(row.parked_keys),
    oldestMs: row.oldest_ms === null ? undefined : Number(row.oldest_ms),
  }))
}

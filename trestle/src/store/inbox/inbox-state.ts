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

/** Keys `k` that can only be helped: they are parked, or an event before their head is missing. They have an index. */
export const isBlocked = 'k.next_at is null and k.head is not null'

/**
 * What waits for subscription `s`, apart by whether its key is parked. What waits is walked over once, and the parked keys are
 * held in a hash: an `in` that is a column is never planned as a join, which without statistics reads all keys for each event.
 */
export const waitingOfS = `
  select count(*) filter (where not i.parked) as waiting, count(*) filter (where i.parked) as parked_waiting,
    min(i.occurred_ms) filter (where not i.parked) as oldest_ms
  from (
    select i.occurred_ms, (i.subscription, i.generation, i.key) in (
      select k.subscription, k.generation, k.key from trestle.inbox_keys k where ${isBlocked} and k.parked_at is not null) as parked
    from trestle.inbox i where i.subscription = s.id and i.generation = s.generation and i.state = 0 offset 0) i`

const dueAt = (order: 'asc' | 'desc') => `
  select k.next_at as at from trestle.inbox_keys k
  where k.subscription = s.id and k.generation = s.generation and k.next_at is not null order by k.next_at ${order} limit 1`

// What is due is at one of the two ends of its index: what is tried again later is not walked over.
const stateSql = `
select s.id, s.generation,
  coalesce(first.at <= now() or last.at > now() + interval '1 hour', false) as due,
  w.waiting, w.parked_waiting, w.oldest_ms,
  (select count(*) from trestle.inbox_keys k
    where k.subscription = s.id and k.generation = s.generation and ${isBlocked} and k.parked_at is not null) as parked_keys
from trestle.subscriptions s
left join lateral (${dueAt('asc')}) first on true
left join lateral (${dueAt('desc')}) last on true
cross join lateral (${waitingOfS}) w
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

import { type AnyDb, rowsOf } from './statement.ts'

/** How far a walk has come: behind the row with this id or key. */
export interface SweepPlace {
  readonly name: string
  readonly subscription: number
  readonly generation: number
}

/** What one step of a walk came to. */
export interface SweepStep {
  readonly gone: number
  /** Where to go on; `undefined`: the walk has come to its end. */
  readonly next: SweepPlace | undefined
}

const places = 'subscription, generation'

/** The subscription `s` of a row, if it is still known. */
const itsSubscription = 'left join trestle.subscriptions s on s.id = seen.subscription'

// Ids of events are UUIDs of version 7, and the walk is that of the primary key: it ends at the first that is young. Rows that
// wait in this generation are looked at and never locked: who handles them must not miss them. `limit` leaves the planner one
// way to them, by their key.
const eventsSql = `
with seen as materialized (
  select i.event_id, i.subscription, i.generation from trestle.inbox i
  where (i.event_id, i.subscription, i.generation) > ($1::uuid, $2::integer, $3::integer) and i.event_id < $5::uuid
  order by i.event_id, i.subscription, i.generation limit $4
), old as (
  select i.at from seen ${itsSubscription} cross join lateral (
    select i.ctid as at from trestle.inbox i
    where i.event_id = seen.event_id and i.subscription = seen.subscription and i.generation = seen.generation
      and (i.generation < s.generation or i.state <> 0 and i.handled_at < now() - $6::double precision * interval '1 ms')
    limit 1 for update skip locked) i
), gone as (
  delete from trestle.inbox where ctid = any (array (select at from old)) returning 1
)
select (select count(*) from gone) as gone, (select count(*) from seen) as seen, l.*
from (values (1)) v left join lateral (
  select event_id::text as name, ${places} from seen order by event_id desc, subscription desc, generation desc limit 1
) l on true`

const firstId = '00000000-0000-0000-0000-000000000000'
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Of what, and how much at most. */
export interface Sweep {
  /** Behind where to go on; `undefined`: from the beginning. */
  readonly after: SweepPlace | undefined
  /** Rows that are looked at. */
  readonly max: number
}

/** Events are forgotten when they were handled longer ago than `memoryMs`. */
export interface EventSweep extends Sweep {
  readonly memoryMs: number
  /** Milliseconds since 1970; what had not happened `memoryMs` ago is not even looked at. */
  readonly nowMs: number
  /** It is looked at all the same, for what earlier generations left. */
  readonly whole: boolean
}

/**
 * Forgets events that were handled longer ago than `memoryMs`: however old they were then, as they could be delivered when
 * they were handled, they could be again. What was taken before the last replay is forgotten where it is met.
 */
export async function sweepHandled(db: AnyDb, sweep: EventSweep): Promise<SweepStep> {
  const { after, max, memoryMs, nowMs, whole } = sweep
  const before = whole ? lastId : firstIdAt(nowMs - memoryMs)
  return stepOf(await rowsOf<Row>(db, eventsSql, [...placeOf(after, firstId), max, before, memoryMs]), max)
}

const keysSql = `
with seen as materialized (
  select k.key, k.subscription, k.generation from trestle.inbox_keys k
  where (k.key, k.subscription, k.generation) > ($1, $2::integer, $3::integer)
  order by k.key, k.subscription, k.generation limit $4
), old as (
  select k.at from seen ${itsSubscription} cross join lateral (
    select k.ctid as at from trestle.inbox_keys k
    where k.key = seen.key and k.subscription = seen.subscription and k.generation = seen.generation
      and (k.generation < s.generation
        or k.head is null and k.parked_at is null and k.moved_at < now() - 2 * $5::double precision * interval '1 ms')
    limit 1 for update skip locked) k
), gone as (
  delete from trestle.inbox_keys where ctid = any (array (select at from old)) returning 1
)
select (select count(*) from gone) as gone, (select count(*) from seen) as seen, l.*
from (values (1)) v left join lateral (
  select key as name, ${places} from seen order by key desc, subscription desc, generation desc limit 1
) l on true`

/**
 * Forgets keys that have nothing waiting and have not moved for twice `memoryMs`: then none of their events is remembered any
 * more. And all keys of before the last replay.
 * @param sweep `memoryMs` is `undefined` where the bus does not keep the order of a key: there a key must be known for ever
 */
export async function sweepKeys(
  db: AnyDb,
  { after, max, memoryMs }: Sweep & { readonly memoryMs: number | undefined },
): Promise<SweepStep> {
  return stepOf(await rowsOf<Row>(db, keysSql, [...placeOf(after, ''), max, memoryMs ?? null]), max)
}

/** A subscription that has been replayed, and how it stands. */
export interface Unswept {
  readonly id: number
  readonly generation: number
}

/** Subscriptions of whose earlier generations there may be something left. */
export async function unswept(db: AnyDb, what: 'events' | 'keys'): Promise<readonly Unswept[]> {
  const text = `select id, generation from trestle.subscriptions where generation > ${what}_swept`
  return await rowsOf<Unswept>(db, text, [])
}

/** Notes that a walk that began when subscriptions stood so has come to its end. */
export async function noteSwept(db: AnyDb, what: 'events' | 'keys', all: readonly Unswept[]): Promise<void> {
  const text = `update trestle.subscriptions set ${what}_swept = greatest(${what}_swept, $2) where id = $1`
  for (const { id, generation } of all) await rowsOf(db, text, [id, generation])
}

interface Row {
  readonly gone: string
  readonly seen: string
  readonly name: string | null
  readonly subscription: number
  readonly generation: number
}

function placeOf(after: SweepPlace | undefined, first: string) {
  return after === undefined ? [first, 0, 0] : [after.name, after.subscription, after.generation]
}

function stepOf([row]: readonly Row[], max: number): SweepStep {
  const { gone, seen, name, subscription, generation } = row as Row
  const isEnd = name === null || Number(seen) < max
  return { gone: Number(gone), next: isEnd ? undefined : { name, subscription, generation } }
}

/** The lowest UUID of version 7 of a moment. */
function firstIdAt(timeMs: number): string {
  const time = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

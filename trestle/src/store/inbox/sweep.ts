import { type AnyDb, rowsOf } from './statement.ts'
import type { SubscriptionRow } from './subscription-rows.ts'

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

// Ids of events are UUIDs of version 7, and the walk is that of the primary key: it ends at the first that is young. Rows that
// wait are looked at and never locked: who handles them must not miss them.
const eventsSql = `
with seen as materialized (
  select i.event_id, i.subscription, i.generation from trestle.inbox i
  where (i.event_id, i.subscription, i.generation) > ($1::uuid, $2::integer, $3::integer) and i.event_id < $5::uuid
  order by i.event_id, i.subscription, i.generation limit $4
), old as (
  select i.ctid as at from seen s join trestle.inbox i using (event_id, subscription, generation)
  where i.state <> 0 and i.handled_at < now() - $6::double precision * interval '1 ms'
  for update of i skip locked
), gone as (
  delete from trestle.inbox where ctid = any (array (select at from old)) returning 1
)
select (select count(*) from gone) as gone, (select count(*) from seen) as seen, l.*
from (values (1)) v left join lateral (
  select event_id::text as name, ${places} from seen order by event_id desc, subscription desc, generation desc limit 1
) l on true`

const firstId = '00000000-0000-0000-0000-000000000000'

/** Of what, and how much at most. */
export interface Sweep {
  /** Behind where to go on; `undefined`: from the beginning. */
  readonly after: SweepPlace | undefined
  /** Rows that are looked at. */
  readonly max: number
  readonly memoryMs: number
}

/**
 * Forgets events that were handled longer ago than `memoryMs`: however old they were then, as they could be delivered when
 * they were handled, they could be again.
 * @param nowMs milliseconds since 1970; what had not happened `memoryMs` ago is not even looked at
 */
export async function sweepHandled(db: AnyDb, sweep: Sweep & { readonly nowMs: number }): Promise<SweepStep> {
  const { after, max, memoryMs, nowMs } = sweep
  const parameters = [...placeOf(after, firstId), max, firstIdAt(nowMs - memoryMs), memoryMs]
  return stepOf(await rowsOf<Row>(db, eventsSql, parameters), max)
}

const keysSql = `
with seen as materialized (
  select k.key, k.subscription, k.generation from trestle.inbox_keys k
  where (k.key, k.subscription, k.generation) > ($1, $2::integer, $3::integer)
  order by k.key, k.subscription, k.generation limit $4
), old as (
  select k.ctid as at from seen s join trestle.inbox_keys k using (key, subscription, generation)
  where k.head is null and k.parked_at is null and k.moved_at < now() - 2 * $5::double precision * interval '1 ms'
  for update of k skip locked
), gone as (
  delete from trestle.inbox_keys where ctid = any (array (select at from old)) returning 1
)
select (select count(*) from gone) as gone, (select count(*) from seen) as seen, l.*
from (values (1)) v left join lateral (
  select key as name, ${places} from seen order by key desc, subscription desc, generation desc limit 1
) l on true`

/**
 * Forgets keys that have nothing waiting and have not moved for twice `memoryMs`: then none of their events is remembered any
 * more. Not to be used where the bus does not keep the order of a key: there a key must be known for ever.
 */
export async function sweepKeys(db: AnyDb, { after, max, memoryMs }: Sweep): Promise<SweepStep> {
  return stepOf(await rowsOf<Row>(db, keysSql, [...placeOf(after, ''), max, memoryMs]), max)
}

const generationsSql = `
with gone as (
  delete from trestle.inbox where ctid = any (array (
    select i.ctid from trestle.inbox i where i.subscription = $1 and i.generation < $2 limit $3 for update skip locked))
  returning 1
), keys as (
  delete from trestle.inbox_keys where ctid = any (array (
    select k.ctid from trestle.inbox_keys k where k.subscription = $1 and k.generation < $2 limit $3
    for update skip locked))
  returning 1
)
select (select count(*) from gone) as events, (select count(*) from keys) as keys`

/** Forgets what was handled before the last replay. Returns how many rows are gone, of each of two kinds `max` at most. */
export async function sweepGenerations(
  db: AnyDb,
  of: Pick<SubscriptionRow, 'id' | 'generation'>,
  max: number,
): Promise<number> {
  const [row] = await rowsOf<{ events: string; keys: string }>(db, generationsSql, [of.id, of.generation, max])
  return Number(row?.events) + Number(row?.keys)
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

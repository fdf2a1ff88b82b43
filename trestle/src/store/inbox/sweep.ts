import type { SubscriptionRow } from './subscription-rows.ts'
import { type AnyDb, rowsOf } from './statement.ts'

type Of = Pick<SubscriptionRow, 'id' | 'generation'>

/** What is not remembered any more. */
export interface Swept {
  readonly events: number
  readonly keys: number
}

// Ids of events are UUIDs of version 7: in the order of the primary key they are in the order of time.
const sweepSql = `
with old as (
  select i.event_id from trestle.inbox i
  where i.subscription = $1 and i.generation = $2 and i.event_id < $3::uuid and i.state <> 0
  order by i.event_id limit $4 for update skip locked
), gone as (
  delete from trestle.inbox i using old
  where i.subscription = $1 and i.generation = $2 and i.event_id = old.event_id
  returning i.key, i.key_version
), keys as (
  delete from trestle.inbox_keys k using (select key, max(key_version) as last from gone group by key) g
  where $5 and k.subscription = $1 and k.generation = $2 and k.key = g.key and k.version <= g.last
    and k.head is null and k.parked_at is null
  returning 1
)
select (select count(*) from gone) as events, (select count(*) from keys) as keys`

/**
 * Forgets events that were handled and had happened before `beforeMs`, and with its last event a key.
 * @param sweepKeys `false` where the bus does not keep the order of a key: then a key must be known for ever
 */
export async function sweepHandled(
  db: AnyDb,
  of: Of,
  { beforeMs, max, sweepKeys }: { readonly beforeMs: number; readonly max: number; readonly sweepKeys: boolean },
): Promise<Swept> {
  const [row] = await rowsOf<{ events: string; keys: string }>(db, sweepSql, [
    of.id,
    of.generation,
    firstIdAt(beforeMs),
    max,
    sweepKeys,
  ])
  return { events: Number(row?.events), keys: Number(row?.keys) }
}

const sweepOldSql = `
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

/** Forgets what was handled before the last replay. */
export async function sweepGenerations(db: AnyDb, of: Of, max: number): Promise<Swept> {
  const [row] = await rowsOf<{ events: string; keys: string }>(db, sweepOldSql, [of.id, of.generation, max])
  return { events: Number(row?.events), keys: Number(row?.keys) }
}

/** The lowest UUID of version 7 of a moment. */
function firstIdAt(timeMs: number): string {
  const time = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

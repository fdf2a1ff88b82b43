import type { EventEnvelope } from '../outbox/event-envelope.ts'
import { isWanted, type KeyRun } from './key-runs.ts'
import type { SubscriptionRow } from './subscription-rows.ts'
import { type AnyDb, rowsOf } from './statement.ts'

/**
 * What a key begins with that nobody knows yet. `first-seen`: with what came first, because the bus keeps the order
 * of a key. `one`: with version 1, because what came first may have overtaken it.
 */
export type KeyBase = 'first-seen' | 'one'

type Of = Pick<SubscriptionRow, 'id' | 'generation'>

// A conflicting row is locked also where its condition does not hold, so the keys that are not returned stand still too.
const advanceSql = `
insert into trestle.inbox_keys as k (subscription, generation, key, version, since)
select $1, $2, r.key, r.last, r.first
from unnest($3::text[], $4::bigint[], $5::bigint[]) as r (key, first, last) order by r.key
on conflict (subscription, generation, key) do update set version = excluded.version, moved_at = now()
where k.head is null and k.parked_at is null and k.version = excluded.since - 1
returning k.key`

/**
 * Moves keys over events that are handled in the same transaction. Returns the keys that have been moved: not those that
 * have something waiting, are parked, or miss a version.
 */
export async function advanceKeys(db: AnyDb, of: Of, runs: readonly KeyRun[]): Promise<ReadonlySet<string>> {
  if (runs.length === 0) return new Set()
  return new Set((await rowsOf<{ key: string }>(db, advanceSql, runsOf(of, runs))).map(({ key }) => key))
}

const knownSql = `
select key, version, head is null and parked_at is null as idle from trestle.inbox_keys
where subscription = $1 and generation = $2 and key = any($3::text[]) order by key for update`

const stepSql = `
update trestle.inbox_keys k set version = ($4::jsonb ->> k.key)::bigint, moved_at = now()
where k.subscription = $1 and k.generation = $2 and k.key = any($3::text[])`

/**
 * Moves keys over events that nobody wants. A key that nobody knows stays unknown: its first wanted event begins it.
 * Returns the keys that could not be moved: there the places of these events must wait behind what waits.
 */
export async function stepOver(db: AnyDb, of: Of, runs: readonly KeyRun[]): Promise<ReadonlySet<string>> {
  const at = [of.id, of.generation] as const
  const found = await rowsOf<{ key: string; version: string; idle: boolean }>(db, knownSql, [
    ...at,
    runs.map(({ key }) => key),
  ])
  const known = new Map(found.map((row) => [row.key, row]))
  const moved: Record<string, number> = {}
  const blocked = new Set<string>()
  for (const { key, first, last } of runs) {
    const row = known.get(key)
    const version = Number(row?.version)
    if (row === undefined || version >= last) continue
    if (row.idle && version === first - 1) moved[key] = last
    else blocked.add(key)
  }
  const keys = Object.keys(moved)
  if (keys.length > 0) await rowsOf(db, stepSql, [...at, keys, JSON.stringify(moved)])
  return blocked
}

function runsOf(of: Of, runs: readonly KeyRun[]) {
  return [of.id, of.generation, runs.map((r) => r.key), runs.map((r) => r.first), runs.map((r) => r.last)]
}

// One that is known already makes the division fail, and with it the transaction.
const insertHandledSql = `
with inserted as (
  insert into trestle.inbox (subscription, generation, event_id, state, key, key_version, handled_at)
  select $1, $2, e.id, 1, e.key, e.key_version, now()
  from unnest($3::uuid[], $4::text[], $5::bigint[]) as e (id, key, key_version)
  on conflict do nothing
  returning 1)
select 1 / (count(*) = cardinality($3::uuid[]))::integer from inserted`

/** Remembers events as handled by this transaction. It fails (22012) when one of them is known already. */
export async function insertHandled(db: AnyDb, of: Of, events: readonly EventEnvelope[]): Promise<void> {
  await rowsOf(db, insertHandledSql, [
    of.id,
    of.generation,
    events.map(({ id }) => id),
    events.map(({ key }) => key),
    events.map(({ keyVersion }) => keyVersion),
  ])
}

// Those that are known are locked and left as they are. Found and locked in one: a key that is swept in between would be
// neither there nor made, and what waits for it would not be found.
const lockKeysSql = `
insert into trestle.inbox_keys as k (subscription, generation, key, version, since)
select $1, $2, r.key, r.base, r.base + 1 from unnest($3::text[], $4::bigint[]) as r (key, base) order by r.key
on conflict (subscription, generation, key) do update set version = k.version where false`

const addWaitingSql = `
insert into trestle.inbox
  (subscription, generation, event_id, state, key, key_version, epoch, type, version, occurred_ms, payload, traceparent)
select $1, $2, e.id, 0, e.key, e."keyVersion", e.epoch, e.type, e.version, e."occurredAt", e.payload, e.traceparent
from json_to_recordset($3::json) as e (
  id uuid, key text, "keyVersion" bigint, epoch bigint, type text, version integer, "occurredAt" bigint, payload text,
  traceparent text)
on conflict do nothing`

// A statement of its own: what is waiting must be read after the keys have been locked. No join, so that there is only one
// way to run it: without statistics a planner takes a subscription for a few rows, and reads all of them for each key.
const wakeKeysSql = `
update trestle.inbox_keys k
set (head, head_epoch, next_at) = (
  select i.key_version, i.epoch,
    case when k.parked_at is null and i.key_version <= k.version + 1 then coalesce(k.next_at, now()) end
  from trestle.inbox i
  where i.subscription = $1 and i.generation = $2 and i.key = k.key and i.state = 0
  order by i.epoch, i.key_version limit 1)
where k.subscription = $1 and k.generation = $2 and k.key = any($3::text[])`

/** Writes events down that are to be handled later, each once, and wakes their keys. All statements are sent at once. */
export async function addWaiting(db: AnyDb, of: Of, runs: readonly KeyRun[], base: KeyBase): Promise<void> {
  if (runs.length === 0) return
  const keys = runs.map(({ key }) => key)
  const rows = runs.flatMap(({ events }) => events.map(rowOf))
  const at = [of.id, of.generation] as const
  await Promise.all([
    rowsOf(db, lockKeysSql, [...at, keys, runs.map(({ first }) => (base === 'one' ? 0 : first - 1))]),
    rowsOf(db, addWaitingSql, [...at, JSON.stringify(rows)]),
    rowsOf(db, wakeKeysSql, [...at, keys]),
  ])
}

function rowOf(event: EventEnvelope) {
  const { id, key, keyVersion, position } = event
  const place = { id, key, keyVersion, epoch: position.epoch }
  if (!isWanted(event)) return place
  const { type, version, occurredAt, payload, traceparent } = event
  return { ...place, type, version, occurredAt, payload, traceparent }
}

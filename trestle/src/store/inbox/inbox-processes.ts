import { type AnyDb, rowsOf } from './statement.ts'

/** The types of events that a process wants, for each of its subscriptions. */
export type Wishes = Readonly<Record<number, readonly string[]>>

// The process that this one takes the place of has the same name: had it said goodbye, its row would be gone.
const arriveSql = `
with before as (select 1 from trestle.inbox_processes where process = $1), me as (
  insert into trestle.inbox_processes (process, wishes) values ($1, $2)
  on conflict (process) do update set wishes = excluded.wishes, seen_at = now())
select exists (select from before) as was`

/** Says that a process handles events, and which. Returns whether one of its name went without a word. */
export async function arrive(db: AnyDb, process: string, wishes: Wishes): Promise<boolean> {
  const [row] = await rowsOf<{ was: boolean }>(db, arriveSql, [process, JSON.stringify(wishes)])
  await turnPullers(db, process, wishes)
  return row?.was === true
}

// Nothing is written as long as the last word is young. One that was away for so long that it was forgotten is there again.
const seenSql = `
with me as (
  update trestle.inbox_processes set seen_at = now() where process = $1 and seen_at < now() - $2 * interval '1 ms'),
back as (
  insert into trestle.inbox_processes (process, wishes)
  select $1, $3::jsonb where not exists (select from trestle.inbox_processes where process = $1) on conflict do nothing),
forgotten as (delete from trestle.inbox_processes where process <> $1 and seen_at < now() - 60 * $2 * interval '1 ms')
select process from trestle.inbox_processes where process <> $1 and seen_at < now() - 3 * $2 * interval '1 ms'`

/** Says that a process is still there. Returns the others that have gone without a word lately. */
export async function stay(db: AnyDb, process: string, wishes: Wishes, everyMs: number): Promise<readonly string[]> {
  const rows = await rowsOf<{ process: string }>(db, seenSql, [process, everyMs, JSON.stringify(wishes)])
  return rows.map((row) => row.process)
}

/** Says goodbye. */
export async function leave(db: AnyDb, process: string, wishes: Wishes): Promise<void> {
  await rowsOf(db, 'delete from trestle.inbox_processes where process = $1', [process])
  await turnPullers(db, process, wishes)
}

const turnSql = `
update trestle.subscriptions set fence = fence + 1, lease_holder = null, lease_until = null
where id = $1 and exists (
  select from trestle.inbox_processes p where p.process <> $2 and not (p.wishes -> $1::integer::text) @> $3)`

/**
 * Takes the right to pull from whoever may pull for other types than are wanted from now on. Who gets it asks for them then,
 * so that nothing is stepped over that somebody wants: the wishes are written down before.
 */
async function turnPullers(db: AnyDb, process: string, wishes: Wishes): Promise<void> {
  for (const [id, types] of Object.entries(wishes)) {
    await rowsOf(db, turnSql, [id, process, JSON.stringify(types)])
  }
}

const wantedSql = `
select w.key::integer as id, array_agg(distinct t.type order by t.type) as types
from trestle.inbox_processes p
cross join jsonb_each(p.wishes) w
cross join jsonb_array_elements_text(w.value) t (type)
where w.key = any($1::text[]) and p.seen_at > now() - 3 * $2 * interval '1 ms'
group by w.key`

/** Subscription -> the types that are wanted by any process that has lately said that it is there. */
export async function wantedTypes(
  db: AnyDb,
  ids: readonly number[],
  everyMs: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const parameters = [ids.map(String), everyMs]
  const rows = await rowsOf<{ id: number; types: readonly string[] }>(db, wantedSql, parameters)
  return new Map(rows.map(({ id, types }) => [id, types]))
}

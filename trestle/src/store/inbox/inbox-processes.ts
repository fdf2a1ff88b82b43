import { type AnyDb, rowsOf } from './statement.ts'

// The process that this one takes the place of has the same name: had it said goodbye, its row would be gone.
const arriveSql = `
with before as (select 1 from trestle.inbox_processes where process = $1), me as (
  insert into trestle.inbox_processes (process) values ($1)
  on conflict (process) do update set seen_at = now())
select exists (select from before) as was`

/** Says that a process handles events. Returns whether one of its name went without a word. */
export async function arrive(db: AnyDb, process: string): Promise<boolean> {
  const [row] = await rowsOf<{ was: boolean }>(db, arriveSql, [process])
  return row?.was === true
}

const seenSql = `
with me as (update trestle.inbox_processes set seen_at = now() where process = $1 and seen_at < now() - $2 * interval '1 ms'),
forgotten as (delete from trestle.inbox_processes where seen_at < now() - 60 * $2 * interval '1 ms')
select exists (
  select from trestle.inbox_processes where process <> $1 and seen_at < now() - 3 * $2 * interval '1 ms') as was`

/** Says that a process is still there. Returns whether another one has gone without a word lately. */
export async function stay(db: AnyDb, process: string, everyMs: number): Promise<boolean> {
  const [row] = await rowsOf<{ was: boolean }>(db, seenSql, [process, everyMs])
  return row?.was === true
}

/** Says goodbye. */
export async function leave(db: AnyDb, process: string): Promise<void> {
  await rowsOf(db, 'delete from trestle.inbox_processes where process = $1', [process])
}

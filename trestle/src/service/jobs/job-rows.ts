import { type Kysely, sql } from 'kysely'
import type { Job } from './job.ts'

/** A row of `trestle.jobs`. */
export interface JobRow {
  name: string
  schedule: string
  due_at: Date | null
  retry_at: Date | null
  tries: number
  fence: string
  lease_until: Date | null
  runner: string | null
  started_at: Date | null
  finished_at: Date | null
  runs: string
  failures: string
  last_failure: string | null
  seen_at: Date
}

/** The table of jobs, whatever other tables a database has. */
export interface JobTables {
  'trestle.jobs': JobRow
}

type Db = Kysely<JobTables>

/** A tick that is ours to run. */
export interface ClaimedTick {
  readonly name: string
  readonly fence: string
  readonly tick: number
  readonly tries: number
}

/** Longest text of a failure that is kept, characters. */
const failureMax = 500

/** Writes down a job that was not known, or whose schedule has changed: then it begins anew. */
export async function seeJob(db: Db, { name, schedule }: Job, nowMs: number): Promise<void> {
  const due = asDate(schedule.first(nowMs))
  const now = new Date(nowMs)
  await sql`
    insert into trestle.jobs as known (name, schedule, due_at, seen_at)
    values (${name}, ${schedule.text}, ${due}, ${now})
    on conflict (name) do update set
      seen_at = excluded.seen_at,
      schedule = excluded.schedule,
      due_at = case when known.schedule = excluded.schedule then known.due_at else excluded.due_at end,
      retry_at = case when known.schedule = excluded.schedule then known.retry_at end,
      tries = case when known.schedule = excluded.schedule then known.tries else 0 end`.execute(db)
}

/** What decides when a job is run next: it is due, no earlier try holds it back, and nobody's lease on it lasts. */
export type JobTimes = Pick<JobRow, 'due_at' | 'retry_at' | 'lease_until'>

/** A job that has a tick to come. */
export type WaitingJob = JobTimes & Pick<JobRow, 'name' | 'schedule' | 'tries'>

// A tick that was begun has come, wherever the clock was put since: it keeps its time, and with it its keys, until it is done.

/** Those of the jobs that have a tick to come. */
export async function waitingJobs(db: Db, names: readonly string[]): Promise<readonly WaitingJob[]> {
  return await db
    .selectFrom('trestle.jobs')
    .select(['name', 'schedule', 'tries', 'due_at', 'retry_at', 'lease_until'])
    .where('name', 'in', [...names])
    .where('due_at', 'is not', null)
    .execute()
}

/** When a job may be run next, milliseconds since 1970. */
export function nextTime({ tries, due_at, retry_at, lease_until }: WaitingJob): number {
  return Math.max(...[tries > 0 ? null : due_at, retry_at, lease_until].map((time) => time?.getTime() ?? 0))
}

/** Sets other times, unless somebody has set others meanwhile. */
export async function setTimes(
  db: Db,
  { name, ...seen }: WaitingJob,
  { due_at, retry_at, lease_until }: JobTimes,
): Promise<void> {
  await db
    .updateTable('trestle.jobs')
    .set({ due_at, retry_at, lease_until })
    .where('name', '=', name)
    .where('due_at', 'is not distinct from', seen.due_at)
    .where('retry_at', 'is not distinct from', seen.retry_at)
    .where('lease_until', 'is not distinct from', seen.lease_until)
    .execute()
}

/** Takes the tick that is due, unless another replica has it. */
export async function claimTick(
  db: Db,
  {
    name,
    runner,
    nowMs,
    leaseMs,
  }: { readonly name: string; readonly runner: string; readonly nowMs: number; readonly leaseMs: number },
): Promise<ClaimedTick | undefined> {
  const now = new Date(nowMs)
  const row = await db
    .updateTable('trestle.jobs')
    .set({
      fence: sql`fence + 1`,
      tries: sql`tries + 1`,
      lease_until: new Date(nowMs + leaseMs),
      runner,
      started_at: now,
    })
    .where('name', '=', name)
    .where('due_at', 'is not', null)
    .where((each) => each.or([each('due_at', '<=', now), each('tries', '>', 0)]))
    .where((each) => each.or([each('retry_at', 'is', null), each('retry_at', '<=', now)]))
    .where((each) => each.or([each('lease_until', 'is', null), each('lease_until', '<=', now)]))
    .returning(['name', 'fence', 'due_at', 'tries'])
    .executeTakeFirst()
  if (row === undefined || row.due_at === null) return undefined
  return { name: row.name, fence: row.fence, tick: row.due_at.getTime(), tries: row.tries }
}

/** Keeps a tick. `false`: it is somebody else's by now. */
export async function renewTick(db: Db, { name, fence }: ClaimedTick, untilMs: number): Promise<boolean> {
  const renewed = await mine(db, { name, fence })
    .set({ lease_until: new Date(untilMs) })
    // A run that has just ended has given its lease up.
    .where('runner', 'is not', null)
    .executeTakeFirst()
  return renewed.numUpdatedRows === 1n
}

/** Notes that a tick has been run. `false`: it was somebody else's by then, and nothing may be written. */
export async function finishTick(
  db: Db,
  { name, fence }: ClaimedTick,
  { nextMs, nowMs }: { readonly nextMs: number | undefined; readonly nowMs: number },
): Promise<boolean> {
  const done = await mine(db, { name, fence })
    .set({
      due_at: asDate(nextMs),
      retry_at: null,
      tries: 0,
      lease_until: null,
      runner: null,
      finished_at: new Date(nowMs),
      runs: sql`runs + 1`,
    })
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** Gives a tick back that failed; it is tried again, not before `retryMs`. */
export async function giveTickBack(
  db: Db,
  { name, fence }: ClaimedTick,
  { retryMs, failure }: { readonly retryMs: number; readonly failure: string | undefined },
): Promise<void> {
  const given = mine(db, { name, fence }).set({ retry_at: new Date(retryMs), lease_until: null, runner: null })
  if (failure === undefined) await given.execute()
  else await given.set({ failures: sql`failures + 1`, last_failure: failure.slice(0, failureMax) }).execute()
}

/** Passes over ticks that are not to be run any more. */
export async function skipTicks(db: Db, { name, fence }: ClaimedTick, nextMs: number | undefined): Promise<void> {
  await mine(db, { name, fence })
    .set({ due_at: asDate(nextMs), retry_at: null, tries: 0, lease_until: null, runner: null })
    .execute()
}

function mine(db: Db, { name, fence }: Pick<ClaimedTick, 'name' | 'fence'>) {
  return db.updateTable('trestle.jobs').where('name', '=', name).where('fence', '=', fence)
}

function asDate(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms)
}

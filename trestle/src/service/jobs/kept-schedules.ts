import { type Kysely, sql } from 'kysely'
import type { Job } from './job.ts'
import { asDate, type JobTables } from './job-rows.ts'

type Db = Kysely<JobTables>

/**
 * Says that a replica keeps the schedule of a job, and writes down a job that was not known. One of another schedule,
 * which nobody has kept for `leaseMs`, begins anew: two versions of a service, which run side by side during a
 * deployment, do not change it to and fro.
 */
export async function keepSchedule(
  db: Db,
  { name, schedule }: Job,
  { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
): Promise<void> {
  const [now, earliest, latest] = [nowMs, nowMs - leaseMs, nowMs + leaseMs].map((ms) => new Date(ms))
  // One time that has passed is not run again by a version that comes back.
  await sql`
    insert into trestle.jobs as known (name, schedule, due_at, seen_at)
    values (${name}, ${schedule.text}, ${asDate(schedule.first(nowMs))}, ${now})
    on conflict (name) do update set
      seen_at = excluded.seen_at,
      schedule = excluded.schedule,
      due_at = case
        when known.schedule = excluded.schedule then known.due_at
        when excluded.due_at <= excluded.seen_at and excluded.due_at <= known.finished_at then null
        else excluded.due_at end,
      retry_at = case when known.schedule = excluded.schedule then known.retry_at end,
      tries = case when known.schedule = excluded.schedule then known.tries else 0 end
    where known.schedule = excluded.schedule or known.seen_at not between ${earliest} and ${latest}`.execute(db)
}

/** Keeps it no longer. Another replica that has the same one says so again. */
export async function leaveSchedule(db: Db, { name, schedule }: Job): Promise<void> {
  await db
    .updateTable('trestle.jobs')
    .set({ seen_at: new Date(0) })
    .where('name', '=', name)
    .where('schedule', '=', schedule.text)
    .execute()
}

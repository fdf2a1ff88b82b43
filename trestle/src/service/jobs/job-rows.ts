import { type Kysely, sql } from 'kysely'

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
  /** Somebody kept the schedule then. */
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
  /** It was claimed as one of these. */
  readonly schedule: string
  readonly fence: string
  readonly tick: number
  readonly tries: number
}

/** Longest text of a failure that is kept, characters. */
const failureMax = 500

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

/** Who takes a tick. */
export interface TickClaim extends Pick<ClaimedTick, 'name' | 'schedule'> {
  readonly runner: string
  readonly nowMs: number
  readonly leaseMs: number
}

/** Takes the tick that is due by a schedule, unless another replica has it, or the job another schedule. */
export async function claimTick(
  db: Db,
  { name, schedule, runner, nowMs, leaseMs }: TickClaim,
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
    .where('schedule', '=', schedule)
    .where('due_at', 'is not', null)
    .where((each) => each.or([each('due_at', '<=', now), each('tries', '>', 0)]))
    .where((each) => each.or([each('retry_at', 'is', null), each('retry_at', '<=', now)]))
    .where((each) => each.or([each('lease_until', 'is', null), each('lease_until', '<=', now)]))
    .returning(['name', 'fence', 'due_at', 'tries'])
    .executeTakeFirst()
  if (row === undefined || row.due_at === null) return undefined
  return { name: row.name, schedule, fence: row.fence, tick: row.due_at.getTime(), tries: row.tries }
}

/** Keeps a tick. `false`: it is somebody else's by now. */
export async function renewTick(db: Db, claimed: ClaimedTick, untilMs: number): Promise<boolean> {
  const renewed = await mine(db, claimed)
    .set({ lease_until: new Date(untilMs) })
    // A run that has just ended has given its lease up.
    .where('runner', 'is not', null)
    .executeTakeFirst()
  return renewed.numUpdatedRows === 1n
}

/** Notes that a tick has been run. `false`: it was somebody else's by then, and nothing may be written. */
export async function finishTick(
  db: Db,
  claimed: ClaimedTick,
  { nextMs, nowMs }: { readonly nextMs: number | undefined; readonly nowMs: number },
): Promise<boolean> {
  const done = await mine(db, claimed)
    .set({
      due_at: timeOf('due_at', claimed, nextMs),
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
  claimed: ClaimedTick,
  { retryMs, failure }: { readonly retryMs: number; readonly failure: string | undefined },
): Promise<void> {
  const retry = timeOf('retry_at', claimed, retryMs)
  const given = mine(db, claimed).set({ retry_at: retry, lease_until: null, runner: null })
  if (failure === undefined) await given.execute()
  else await given.set({ failures: sql`failures + 1`, last_failure: failure.slice(0, failureMax) }).execute()
}

/** Passes over ticks that are not to be run any more. */
export async function skipTicks(db: Db, claimed: ClaimedTick, nextMs: number | undefined): Promise<void> {
  await mine(db, claimed)
    .set({ due_at: timeOf('due_at', claimed, nextMs), retry_at: null, tries: 0, lease_until: null, runner: null })
    .execute()
}

function mine(db: Db, { name, fence }: ClaimedTick) {
  return db.updateTable('trestle.jobs').where('name', '=', name).where('fence', '=', fence)
}

/** What a tick leaves behind: a schedule that has come since keeps the time that it has set. */
function timeOf(column: 'due_at' | 'retry_at', { schedule }: ClaimedTick, ms: number | undefined) {
  const time = sql`${asDate(ms)}::timestamptz`
  return sql<Date | null>`case when schedule = ${schedule} then ${time} else ${sql.ref(column)} end`
}

/** A time as it is stored. */
export function asDate(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms)
}

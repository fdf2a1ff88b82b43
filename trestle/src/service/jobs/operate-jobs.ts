import type { Kysely } from 'kysely'
import type { Store } from '../../store/store.ts'
import type { JobTables } from './job-rows.ts'

/** How a durable job stands; times in milliseconds since 1970. */
export interface JobStatus {
  readonly name: string
  readonly schedule: string
  /** `undefined`: it has no tick any more. */
  readonly dueAtMs: number | undefined
  /** A tick that failed is not tried again before this time. */
  readonly retryAtMs: number | undefined
  /** Tries of the tick that is due. */
  readonly tries: number
  /** The process that runs it. */
  readonly runner: string | undefined
  readonly startedAtMs: number | undefined
  readonly finishedAtMs: number | undefined
  readonly runs: number
  readonly failures: number
  readonly lastFailure: string | undefined
}

/** The durable jobs of a service, by name. */
export async function listJobs(store: Store<unknown>): Promise<readonly JobStatus[]> {
  const rows = await tables(store).selectFrom('trestle.jobs').selectAll().orderBy('name').execute()
  return rows.map((row) => ({
    name: row.name,
    schedule: row.schedule,
    dueAtMs: row.due_at?.getTime(),
    retryAtMs: row.retry_at?.getTime(),
    tries: row.tries,
    runner: row.runner ?? undefined,
    startedAtMs: row.started_at?.getTime(),
    finishedAtMs: row.finished_at?.getTime(),
    runs: Number(row.runs),
    failures: Number(row.failures),
    lastFailure: row.last_failure ?? undefined,
  }))
}

/**
 * Makes a job due now, in place of its next tick; a replica begins it within seconds. One that runs already, or waits
 * after a failure, is tried again at once.
 * @returns `false`: there is no such job
 */
export async function runJobNow(store: Store<unknown>, name: string, nowMs: number): Promise<boolean> {
  const now = new Date(nowMs)
  const changed = await tables(store)
    .updateTable('trestle.jobs')
    .set((each) => ({
      due_at: each.fn('least', [each.fn.coalesce('due_at', each.val(now)), each.val(now)]),
      retry_at: null,
    }))
    .where('name', '=', name)
    .executeTakeFirst()
  return changed.numUpdatedRows === 1n
}

function tables(store: Store<unknown>): Kysely<JobTables> {
  return store.db as unknown as Kysely<JobTables>
}

import type { Kysely } from 'kysely'
import { isCallError } from '../../call/call-error.ts'
import { backoffMs } from '../../std/backoff.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import { crashPoint } from '../../std/crash-points.ts'
import { Seldom } from '../../std/seldom.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../service.ts'
import type { Job, JobResult, JobRun } from './job.ts'
import { pulledIn, retryBackoff } from './job-clock.ts'
import {
  type ClaimedTick,
  claimTick,
  finishTick,
  giveTickBack,
  type JobTables,
  nextTime,
  renewTick,
  setTimes,
  skipTicks,
  type WaitingJob,
  waitingJobs,
} from './job-rows.ts'
import { JobStore, LostRunError } from './job-store.ts'
import { keepSchedule, leaveSchedule } from './kept-schedules.ts'

/** Jobs at work. */
export interface RunningJobs {
  /** Looks for what is due, now. */
  look(): void
  /** No new run; resolves when the runs in progress have ended (their `signal` aborts). */
  stop(): Promise<void>
}

/** What durable jobs take from outside. */
export interface DurableJobsDeps {
  readonly store: Store<unknown>
  /** Names this process to operators. */
  readonly runner: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Calls the job's own function with all that it may use. */
  readonly run: (job: Job, run: JobRun, store: Store<unknown>) => Promise<JobResult>
}

/** How long a replica that says nothing keeps a tick, or a schedule; while it goes on it says so three times in that. */
const leaseMs = 30_000
/** What another replica, or an operator, has changed is seen after this time at the latest. */
const lookEveryMs = 5_000

/**
 * Runs each job at its ticks, each tick on one replica. Who runs a tick holds a lease with a fencing token; whoever
 * loses it can write nothing more. A run that fails is tried again, ever more seldom, until it succeeds.
 */
export async function startDurableJobs(jobs: readonly Job[], deps: DurableJobsDeps): Promise<RunningJobs> {
  const db = deps.store.db as unknown as Kysely<JobTables>
  for (const job of jobs) await keepSchedule(db, job, { nowMs: deps.clock.now(), leaseMs })
  const running = new DurableJobs(jobs, db, deps)
  running.look()
  return running
}

class DurableJobs implements RunningJobs {
  readonly #jobs: ReadonlyMap<string, Job>
  readonly #db: Kysely<JobTables>
  readonly #deps: DurableJobsDeps
  readonly #abort = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  readonly #troubles: Seldom
  #keptAtMs: number
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false

  constructor(jobs: readonly Job[], db: Kysely<JobTables>, deps: DurableJobsDeps) {
    this.#jobs = new Map(jobs.map((job) => [job.name, job]))
    this.#db = db
    this.#deps = deps
    this.#troubles = new Seldom(deps.clock, 60_000)
    this.#keptAtMs = deps.clock.monotonic()
  }

  /** Begins what is due, and comes back when the next is. */
  look(): void {
    if (this.#abort.signal.aborted) return
    if (this.#looking !== undefined) {
      this.#lookAgain = true
      return
    }
    this.#timer?.cancel()
    this.#lookAgain = false
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined
      if (this.#lookAgain) this.look()
    })
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#timer?.cancel()
    await this.#looking
    await Promise.all([this.#leave(), ...this.#running.values()])
  }

  async #lookOnce(): Promise<void> {
    const { clock } = this.#deps
    let waitMs = lookEveryMs
    try {
      await this.#keep()
      const idle = [...this.#jobs.keys()].filter((name) => !this.#running.has(name))
      const waiting = idle.length === 0 ? [] : await waitingJobs(this.#db, idle)
      for (const row of waiting) {
        const job = this.#jobs.get(row.name) as Job
        // Another version of the service keeps another one, and runs it by that.
        if (row.schedule !== job.schedule.text) continue
        const leftMs = nextTime(await this.#minded(job, row)) - clock.now()
        if (leftMs <= 0) this.#begin(job)
        else waitMs = Math.min(waitMs, leftMs)
      }
    } catch (error) {
      this.#trouble(error, 'the jobs cannot be looked up')
    }
    if (!this.#abort.signal.aborted) this.#timer = clock.setTimeout(() => this.look(), waitMs)
  }

  /** Says now and then that the schedules are kept here, and takes those that nobody keeps. */
  async #keep(): Promise<void> {
    const { clock } = this.#deps
    if (clock.monotonic() - this.#keptAtMs < leaseMs / 3) return
    this.#keptAtMs = clock.monotonic()
    for (const job of this.#jobs.values()) await keepSchedule(this.#db, job, { nowMs: clock.now(), leaseMs })
  }

  async #leave(): Promise<void> {
    const left = [...this.#jobs.values()].map((job) => leaveSchedule(this.#db, job))
    // Should it not be heard, whoever has another schedule waits as for a replica that was killed.
    await Promise.allSettled(left)
  }

  /** The times of a job as they are now, which the clock may have been put back from. */
  async #minded(job: Job, row: WaitingJob): Promise<WaitingJob> {
    const times = pulledIn(row, job.schedule, { nowMs: this.#deps.clock.now(), leaseMs })
    if (times === undefined) return row
    this.#deps.log.warn({ job: job.name }, 'a job waited for a time that the clock was put back from')
    await setTimes(this.#db, row, times)
    return times
  }

  #begin(job: Job): void {
    const done = this.#runTick(job)
      .finally(() => this.#running.delete(job.name))
      .then(
        () => this.look(),
        // The timer looks again: a database whose disk is full refuses as fast as it is asked.
        (error: unknown) => this.#trouble(error, `the job ${job.name} cannot be claimed`),
      )
    this.#running.set(job.name, done)
  }

  async #runTick(job: Job): Promise<void> {
    if (this.#abort.signal.aborted) return
    const { clock, runner } = this.#deps
    const { name, schedule } = job
    crashPoint('job.before-claim')
    const claimed = await claimTick(this.#db, { name, schedule: schedule.text, runner, nowMs: clock.now(), leaseMs })
    crashPoint('job.after-claim')
    if (claimed === undefined) return
    if (job.missed === 'skip' && isMissed(job, claimed.tick, clock.now())) {
      await skipTicks(this.#db, claimed, schedule.next(claimed.tick, clock.now()))
      return
    }
    await new TickRun(job, claimed, this.#db, this.#deps, this.#abort.signal).work()
  }

  #trouble(error: unknown, what: string): void {
    if (this.#abort.signal.aborted || this.#troubles.again(what) === undefined) return
    this.#deps.log.warn({ err: error }, what)
  }
}

/** Whether the next tick has come already. */
function isMissed({ schedule }: Job, tick: number, nowMs: number): boolean {
  const next = schedule.next(tick, tick)
  return next !== undefined && next <= nowMs
}

/** One run of one tick that was claimed. */
class TickRun {
  readonly #job: Job
  readonly #claimed: ClaimedTick
  readonly #db: Kysely<JobTables>
  readonly #deps: DurableJobsDeps
  readonly #stopping: AbortSignal
  readonly #lost = new AbortController()
  #renewal: Timer | undefined
  #over = false

  constructor(job: Job, claimed: ClaimedTick, db: Kysely<JobTables>, deps: DurableJobsDeps, stopping: AbortSignal) {
    this.#job = job
    this.#claimed = claimed
    this.#db = db
    this.#deps = deps
    this.#stopping = stopping
  }

  async work(): Promise<void> {
    const { name, tick } = this.#claimed
    const store = new JobStore(this.#deps.store, {
      note: (db) => this.#finish(db as unknown as Kysely<JobTables>),
      noted: () => this.#isFinished(),
    })
    const signal = AbortSignal.any([this.#stopping, this.#lost.signal])
    this.#renewLater()
    try {
      const result = await this.#deps.run(this.#job, { tick, key: `job:${name}:${tick}`, signal }, store)
      if (!store.ended && !(await this.#finish(this.#db)))
        throw new LostRunError('another replica runs this tick by now')
      if (result === 'again') await this.#again()
    } catch (error) {
      await this.#failed(error, store.ended)
    } finally {
      this.#over = true
      this.#renewal?.cancel()
    }
  }

  #finish(db: Kysely<JobTables>): Promise<boolean> {
    const { tick } = this.#claimed
    const { schedule, missed } = this.#job
    const nowMs = this.#deps.clock.now()
    const nextMs = schedule.next(tick, missed === 'all' ? tick : Math.max(tick, nowMs))
    return finishTick(db, this.#claimed, { nextMs, nowMs })
  }

  async #isFinished(): Promise<boolean> {
    const { name, fence } = this.#claimed
    const row = await this.#db
      .selectFrom('trestle.jobs')
      .select('runner')
      .where('name', '=', name)
      .where('fence', '=', fence)
      .executeTakeFirst()
    // Whoever claims it next raises the fence: then this run was finished, or it had lost its lease before.
    return row === undefined ? false : row.runner === null
  }

  /** A tick of its own, now; one that was missed comes first. Should it get lost, the next one of the schedule does the rest. */
  async #again(): Promise<void> {
    const now = new Date(this.#deps.clock.now())
    await this.#db
      .updateTable('trestle.jobs')
      .set((each) => ({ due_at: each.fn<Date>('least', ['due_at', each.val(now)]) }))
      .where('name', '=', this.#claimed.name)
      .where('fence', '=', this.#claimed.fence)
      .where('schedule', '=', this.#claimed.schedule)
      .execute()
  }

  async #failed(error: unknown, ended: boolean): Promise<void> {
    const { log, clock, random } = this.#deps
    const { name, tries } = this.#claimed
    if (error instanceof LostRunError || this.#lost.signal.aborted) {
      log.warn({ job: name, tries }, 'the lease on a run of a job was lost; another replica runs it')
      return
    }
    const stopped = this.#stopping.aborted
    if (!stopped) this.#say(error, ended)
    if (ended) return
    const waitMs = stopped ? 0 : backoffMs(tries - 1, { ...retryBackoff(this.#job.schedule), random })
    const failure = stopped ? undefined : error instanceof Error ? error.message : String(error)
    try {
      await giveTickBack(this.#db, this.#claimed, { retryMs: clock.now() + waitMs, failure })
    } catch (cause) {
      log.warn({ job: name, err: cause }, 'a run that failed could not be given back; its lease runs out by itself')
    }
  }

  /** That somebody else is away is no fault of the job: it says so in one line. */
  #say(error: unknown, ended: boolean): void {
    const { log } = this.#deps
    const { name, tries } = this.#claimed
    if (isCallError(error) && !error.declared && error.retry !== 'no') {
      log.warn({ job: name, tries, code: error.code, operation: error.operation, detail: error.detail }, 'job failed')
      return
    }
    log.error({ job: name, tries, err: error }, ended ? 'job failed after its transaction' : 'job failed')
  }

  #renewLater(): void {
    const { clock } = this.#deps
    this.#renewal = clock.setTimeout(() => void this.#renew(), leaseMs / 3)
  }

  async #renew(): Promise<void> {
    const { clock } = this.#deps
    const kept = await renewTick(this.#db, this.#claimed, clock.now() + leaseMs).catch(() => true)
    if (this.#over) return
    if (!kept) this.#lost.abort(new LostRunError('another replica runs this tick by now'))
    else this.#renewLater()
  }
}

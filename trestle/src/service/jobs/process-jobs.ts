import type { Clock, Timer } from '../../std/clock.ts'
import type { Log } from '../service.ts'
import type { RunningJobs } from './durable-jobs.ts'
import type { Job, JobResult, JobRun } from './job.ts'
import { nextEvery } from './job-clock.ts'

/**
 * Runs the jobs of a service that has no store: each replica for itself, never two runs of one job at once in one
 * process. Nobody remembers a tick that was missed. A run that fails is logged and the job goes on.
 */
export function startProcessJobs(
  jobs: readonly Job[],
  deps: {
    readonly clock: Clock
    readonly log: Log
    readonly run: (job: Job, run: JobRun) => Promise<JobResult>
  },
): RunningJobs {
  const { clock } = deps
  const abort = new AbortController()
  const timers = new Map<string, Timer>()
  const running = new Set<Promise<void>>()

  const plan = (job: Job, tick: number | undefined) => {
    if (abort.signal.aborted || tick === undefined) return
    const { everyMs } = job.schedule
    const earlier = everyMs === undefined ? undefined : nextEvery(tick, clock.now(), everyMs)
    const next = earlier ?? tick
    // A timer waits 24 days at most; then it looks again.
    const waitMs = Math.min(Math.max(0, next - clock.now()), 2_000_000_000)
    timers.set(
      job.name,
      clock.setTimeout(() => (next > clock.now() ? plan(job, next) : begin(job, next)), waitMs),
    )
  }
  const begin = (job: Job, tick: number) => {
    const done = runAndPlan(job, tick).finally(() => running.delete(done))
    running.add(done)
  }
  const runAndPlan = async (job: Job, tick: number) => {
    const result = await runOnce(job, tick)
    const now = clock.now()
    plan(job, result === 'again' ? now : job.schedule.next(tick, Math.max(tick, now)))
  }
  const runOnce = async (job: Job, tick: number): Promise<JobResult> => {
    try {
      return await deps.run(job, { tick, key: `job:${job.name}:${tick}`, signal: abort.signal })
    } catch (error) {
      if (!abort.signal.aborted) deps.log.error({ job: job.name, err: error }, 'job failed')
    }
  }

  const now = clock.now()
  for (const job of jobs) {
    const first = job.schedule.first(now)
    // One that has passed was run by whoever was there then, or missed: nobody knows.
    if (first !== undefined && first > now) plan(job, first)
  }
  return {
    look() {},
    async stop() {
      abort.abort()
      for (const timer of timers.values()) timer.cancel()
      await Promise.all(running)
    },
  }
}

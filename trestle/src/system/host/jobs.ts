import type { Clock, Timer } from '../../std/clock.ts'
import type { Job, JobArgs, StartArgs } from '../../service/service.ts'

export interface RunningJobs {
  /** No new run; resolves when the runs in progress have ended (their `signal` aborts). */
  stop(): Promise<void>
}

/**
 * Repeats each job: a run, then `everyMs` with up to a tenth of jitter, then the next; never two runs of one job at
 * once in one process. A run that fails is logged and the job goes on.
 */
export function startJobs(
  jobs: readonly Job[],
  args: Omit<StartArgs, 'signal'>,
  deps: {
    readonly clock: Clock
    readonly random: () => number
    /** The clients of one run. */
    readonly callsFor: (signal: AbortSignal) => JobArgs['call']
  },
): RunningJobs {
  const abort = new AbortController()
  const timers = new Map<string, Timer>()
  const running = new Set<Promise<void>>()

  const plan = (job: Job) => {
    if (abort.signal.aborted) return
    const waitMs = job.everyMs * (0.95 + deps.random() / 10)
    timers.set(
      job.name,
      deps.clock.setTimeout(() => begin(job), waitMs),
    )
  }
  const begin = (job: Job) => {
    const done = runOnce(job).finally(() => {
      running.delete(done)
      plan(job)
    })
    running.add(done)
  }
  const runOnce = async (job: Job) => {
    try {
      await job.run({ ...args, signal: abort.signal, call: deps.callsFor(abort.signal) })
    } catch (error) {
      if (!abort.signal.aborted) args.log.error({ job: job.name, err: error }, 'job failed')
    }
  }

  for (const job of jobs) plan(job)
  return {
    async stop() {
      abort.abort()
      for (const timer of timers.values()) timer.cancel()
      await Promise.all(running)
    },
  }
}

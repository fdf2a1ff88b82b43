import type { OnceScope } from '../../call/once-scope.ts'
import { onceWork } from '../../call/once-work.ts'
import type { Clock } from '../../std/clock.ts'
import type { Store } from '../../store/store.ts'
import type { StartArgs } from '../service.ts'
import { type RunningJobs, startDurableJobs } from './durable-jobs.ts'
import type { Job, JobArgs, JobResult, JobRun } from './job.ts'
import { startProcessJobs } from './process-jobs.ts'

export type { RunningJobs } from './durable-jobs.ts'

/** What the jobs of a service take from its host. */
export interface JobsDeps {
  readonly clock: Clock
  readonly random: () => number
  /** Names this process to operators. */
  readonly runner: string
  /** What every run may use. */
  readonly args: Omit<StartArgs, 'signal'>
  /** The clients of one run. */
  readonly callsFor: (signal: AbortSignal, once: OnceScope) => JobArgs['call']
}

/** Runs the jobs of a service: durably where it has a store, else each replica for itself. */
export async function startJobs(jobs: readonly Job[], deps: JobsDeps): Promise<RunningJobs> {
  const { clock, random, runner, args } = deps
  const store = args.store as Store<unknown> | undefined
  const common = { clock, log: args.log }
  if (store === undefined || jobs.length === 0) {
    return startProcessJobs(jobs, { ...common, run: (job, run) => runJob(job, run, deps) })
  }
  const run = (job: Job, each: JobRun, own: Store<unknown>) =>
    runJob(job, each, { ...deps, args: { ...args, store: own as never } })
  return await startDurableJobs(jobs, { ...common, store, runner, random, run })
}

/** One run: its calls and its ids are the same whenever this tick is run again. */
export function runJob(
  job: Job,
  { tick, key, signal }: JobRun,
  { args, callsFor }: Pick<JobsDeps, 'args' | 'callsFor'>,
): Promise<JobResult> {
  const work = onceWork({ key, beganAtMs: tick })
  return job.run({ ...args, newId: work.newId, tick, key, signal, call: callsFor(signal, work.scope) })
}

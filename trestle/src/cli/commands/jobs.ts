import { momentOf } from '../access-texts.ts'
import { askRunning } from '../ask-running.ts'
import { askServices } from '../ask-services.ts'
import type { CliIo } from '../io.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'
import { textTable } from '../table.ts'
import type { Command } from 'commander'

interface JobsOptions extends SystemOption {
  readonly service?: string
  readonly json?: true
}

/** `trestle jobs [run]`: what is done at given times. */
export const jobsCommand: AddCommand = (program, io) => {
  const jobs = program
    .command('jobs')
    .description('show what services do at given times, when each is due and how it went; run one now')
    .helpCommand(false)
    .option('--service <name>', 'only this service')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action((options: JobsOptions) => list(io, options))
  jobs
    .command('run')
    .description('make a job due now, in place of its next tick')
    .argument('<service>')
    .argument('<job>')
    .action(async (service: string, name: string, _: unknown, command: Command) => {
      const { system } = command.optsWithGlobals<JobsOptions>()
      await askRunning(io, system, ({ operated }) => operated.runJob.try({ service, name }))
      io.out(`${name} is due now\n`)
    })
}

async function list(io: CliIo, options: JobsOptions): Promise<void> {
  const found = await askServices(io, options, (operated, service) => operated.jobs.try({ service }))
  const jobs = found.flatMap(({ service, value }) => value.map((job) => ({ service, ...job })))
  if (options.json) return io.out(`${JSON.stringify(jobs, undefined, 2)}\n`)
  if (jobs.length === 0)
    return io.out(options.service === undefined ? 'no service has jobs\n' : `${options.service} has no jobs\n`)
  const columns = ['SERVICE', 'JOB', 'SCHEDULE', 'DUE', 'LAST RUN', 'RUNS', 'FAILURES', 'STATE']
  const rows = jobs.map((job) => [
    job.service,
    job.name,
    job.schedule,
    momentOf(job.dueAt),
    momentOf(job.finishedAt),
    String(job.runs),
    String(job.failures),
    job.runner !== null
      ? `runs on ${job.runner}`
      : job.tries > 0
        ? io.colors.red(`failed: ${job.lastFailure ?? '?'}`)
        : 'waits',
  ])
  io.out(
    textTable(
      columns.map((title) => ({ title })),
      rows,
    ),
  )
}

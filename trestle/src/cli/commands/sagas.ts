import type { Command } from 'commander'
import { askRunning, type Outcome } from '../ask-running.ts'
import { askServices } from '../ask-services.ts'
import type { CliIo } from '../io.ts'
import { oneOfOption, timeOption, wholeOption } from '../option-values.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'
import type { RunningSystem } from '../running-system.ts'
import { sagasTable, timelineTable } from '../saga-tables.ts'

const states = ['unfinished', 'stuck', 'ended', 'all'] as const
const resolutions = ['skip', 'undone', 'continue'] as const

interface ListOptions extends SystemOption {
  readonly service?: string
  readonly saga?: string
  readonly key?: string
  readonly state?: (typeof states)[number]
  readonly before?: string
  readonly limit?: number
  readonly json?: true
}

interface ActOptions extends SystemOption {
  readonly reason: string
  readonly how?: (typeof resolutions)[number]
}

/** `trestle sagas [show | retry | cancel | resolve]`: work over several services, and what it waits for. */
export const sagasCommand: AddCommand = (program, io) => {
  const sagas = program
    .command('sagas')
    .description('show sagas that have not ended, what each waits for and since when; help those that are stuck')
    .helpCommand(false)
    .option('--service <name>', 'only those of this service')
    .option('--saga <name>', 'only those of this name')
    .option('--key <key>', 'only those of this key, such as the id of an order')
    .option('--state <state>', `${states.join(', ')} (default: unfinished)`, oneOfOption(states))
    .option('--before <time>', 'only those that started before: 2027-01-31T12:00:00Z', timeOption)
    .option('-n, --limit <count>', 'at most so many of each service, 1 to 500 (default: 100)', wholeOption(1, 500))
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', notes)
    .action((options: ListOptions) => list(io, options))
  addShow(sagas, io)
  addRetry(sagas, io)
  addCancel(sagas, io)
  addResolve(sagas, io)
}

const notes = `
Examples:
  trestle sagas                                           those that have not ended
  trestle sagas --key 0198c0de-... --state all            all about one order
  trestle sagas show orders 0198c0df-...                  one of them, step by step
  trestle sagas cancel orders 0198c0df-... -r "asked by phone"
  trestle sagas resolve orders 0198c0df-... --how skip -r "sent by hand"

A saga is stuck when a step that must be taken back, or that comes after the pivot, has failed for good. It is never
dropped: mend the cause and retry it, or resolve it. skip: the step counts as done. undone: all of it counts as taken
back. continue: the step begins anew, under new keys.
`

async function list(io: CliIo, options: ListOptions): Promise<void> {
  const { saga, key, state, before, limit } = options
  const only = {
    ...(saga === undefined ? {} : { saga }),
    ...(key === undefined ? {} : { key }),
    ...(state === undefined ? {} : { state }),
    ...(before === undefined ? {} : { before }),
    ...(limit === undefined ? {} : { limit }),
  }
  const found = await askServices(io, options, (operated, service) => operated.sagas.try({ service, ...only }))
  const all = found.flatMap(({ service, value }) => value.map((one) => ({ service, ...one })))
  if (options.json) return io.out(`${JSON.stringify(all, undefined, 2)}\n`)
  const isEverything = Object.keys(only).length === 0 && options.service === undefined
  const none = isEverything ? 'all sagas have ended\n' : 'there is no such saga\n'
  io.out(all.length === 0 ? none : sagasTable(all, io))
}

function addShow(sagas: Command, io: CliIo): void {
  sagas
    .command('show')
    .description('show one of them, step by step')
    .argument('<service>')
    .argument('<id>')
    .action(async (service: string, id: string, _: unknown, command: Command) => {
      const { system, json } = command.optsWithGlobals<ListOptions>()
      const found = await askRunning(io, system, ({ operated }) => operated.saga.try({ service, id }))
      if (json) return io.out(`${JSON.stringify(found, undefined, 2)}\n`)
      return io.out(`${sagasTable([{ service, ...found.saga }], io)}\n${timelineTable(found.timeline, io)}`)
    })
}

function addRetry(sagas: Command, io: CliIo): void {
  sagas
    .command('retry')
    .description('try again now what it waits to try, or was stuck with')
    .argument('<service>')
    .argument('<id>')
    .action(async (service: string, id: string, _: unknown, command: Command) => {
      const { system } = command.optsWithGlobals<SystemOption>()
      await act(io, system, 'it is tried again', (operated) => operated.retrySaga.try({ service, id }))
    })
}

function addCancel(sagas: Command, io: CliIo): void {
  sagas
    .command('cancel')
    .description('undo it, if it is before its pivot')
    .argument('<service>')
    .argument('<id>')
    .requiredOption('-r, --reason <text>', 'why; it is written down')
    .action(async (service: string, id: string, _: unknown, command: Command) => {
      const { system, reason } = command.optsWithGlobals<ActOptions>()
      await act(io, system, 'it is being undone', (operated) => operated.cancelSaga.try({ service, id, reason }))
    })
}

function addResolve(sagas: Command, io: CliIo): void {
  sagas
    .command('resolve')
    .description('go on with a stuck one as you decide')
    .argument('<service>')
    .argument('<id>')
    .requiredOption('--how <what>', resolutions.join(', '), oneOfOption(resolutions))
    .requiredOption('-r, --reason <text>', 'why; it is written down')
    .action(async (service: string, id: string, _: unknown, command: Command) => {
      const { system, reason, how = 'skip' } = command.optsWithGlobals<ActOptions>()
      await act(io, system, 'it goes on', (operated) => operated.resolveSaga.try({ service, id, how, reason }))
    })
}

async function act(
  io: CliIo,
  system: string | undefined,
  done: string,
  ask: (operated: RunningSystem['operated']) => Promise<Outcome<unknown>>,
): Promise<void> {
  await askRunning(io, system, ({ operated }) => ask(operated))
  io.out(`${done}\n`)
}

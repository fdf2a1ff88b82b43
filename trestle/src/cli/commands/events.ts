import type { Command } from 'commander'
import { askRunning } from '../ask-running.ts'
import { askServices } from '../ask-services.ts'
import { blockedTable, streamsTable, subscriptionsTable } from '../event-tables.ts'
import type { CliIo } from '../io.ts'
import { timeOption } from '../option-values.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'

interface ListOptions extends SystemOption {
  readonly service?: string
  readonly json?: true
}

interface ActOptions extends SystemOption {
  readonly reason: string
  readonly json?: true
}

/** `trestle events [parked | redrive | skip | replay]`: what is published, handled, and what is stuck. */
export const eventsCommand: AddCommand = (program, io) => {
  const events = program
    .command('events')
    .description('show subscriptions and how far behind they are; handle again what was parked, or what is past')
    .helpCommand(false)
    .option('--service <name>', 'only this service')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', notes)
    .action((options: ListOptions) => list(io, options))
  addParked(events, io)
  addRedrive(events, io)
  addSkip(events, io)
  addReplay(events, io)
}

const notes = `
Examples:
  trestle events                                                streams and subscriptions of all services
  trestle events parked                                         keys that wait for a person, and why
  trestle events redrive notifications orders.settled --reason "mail server is back"
  trestle events replay notifications orders.settled --since 2027-01-31T12:00:00Z --reason "mails were lost"

An event that fails too often is parked, and with it those of its key that come later; the others go on. LAG is the age
of the oldest event that is not handled, without those of parked keys.
`

async function list(io: CliIo, options: ListOptions): Promise<void> {
  const found = await askServices(io, options, async (operated, service) => {
    const streams = await operated.streams.try({ service })
    if (!streams.ok) return streams
    const subscriptions = await operated.subscriptions.try({ service })
    if (!subscriptions.ok) return subscriptions
    return { ok: true, value: { streams: streams.value, subscriptions: subscriptions.value } }
  })
  const all = found.map(({ service, value }) => ({ service, ...value }))
  if (options.json) return io.out(`${JSON.stringify(all, undefined, 2)}\n`)
  const streams = all.flatMap((each) => each.streams.map((stream) => ({ service: each.service, ...stream })))
  const subscriptions = all.flatMap((each) => each.subscriptions.map((one) => ({ service: each.service, ...one })))
  io.out(streams.length === 0 ? 'no events have been published\n' : streamsTable(streams))
  io.out(
    subscriptions.length === 0 ? '\nno service subscribes to events\n' : `\n${subscriptionsTable(subscriptions, io)}`,
  )
}

function addParked(events: Command, io: CliIo): void {
  events
    .command('parked')
    .description('show the keys whose events wait for a person, with what blocks them')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>()
      const found = await askServices(io, options, (operated, service) => operated.blocked.try({ service, max: 1_000 }))
      const keys = found.flatMap(({ service, value }) => value.map((key) => ({ service, ...key })))
      if (options.json) return io.out(`${JSON.stringify(keys, undefined, 2)}\n`)
      return io.out(keys.length === 0 ? 'nothing is parked\n' : blockedTable(keys))
    })
}

function addRedrive(events: Command, io: CliIo): void {
  act(events, 'redrive', 'let a parked key be tried again, or all keys of a subscription')
    .argument('<service>')
    .argument('<subscription>')
    .argument('[key]', 'default: all')
    .action(async (service: string, subscription: string, key: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ActOptions>()
      const { reason } = options
      const which = key === undefined ? {} : { key }
      const done = await askRunning(io, options.system, ({ operated }) =>
        operated.redrive.try({ service, subscription, reason, ...which }),
      )
      say(io, options, done, `${done.keys} parked ${done.keys === 1 ? 'key is' : 'keys are'} tried again`)
    })
}

function addSkip(events: Command, io: CliIo): void {
  act(events, 'skip', 'give up the event that blocks a key, or the versions that are missing before it')
    .argument('<service>')
    .argument('<subscription>')
    .argument('<key>')
    .argument('<event>', 'its id, as `trestle events parked` shows it')
    .action(
      async (service: string, subscription: string, key: string, eventId: string, _: unknown, command: Command) => {
        const options = command.optsWithGlobals<ActOptions>()
        const { reason } = options
        const done = await askRunning(io, options.system, ({ operated }) =>
          operated.skip.try({ service, subscription, key, eventId, reason }),
        )
        say(
          io,
          options,
          done,
          done.eventId === null ? `${done.missing} missing versions are given up` : 'it is given up',
        )
      },
    )
}

function addReplay(events: Command, io: CliIo): void {
  act(events, 'replay', 'handle again what was published since a time')
    .argument('<service>')
    .argument('<subscription>')
    .option('--since <time>', '2027-01-31 or 2027-01-31T12:00:00Z (default: everything that is kept)', timeOption)
    .action(async (service: string, subscription: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ActOptions & { readonly since?: string }>()
      const { reason, since } = options
      const done = await askRunning(io, options.system, ({ operated }) =>
        operated.replay.try({ service, subscription, reason, ...(since === undefined ? {} : { since }) }),
      )
      say(io, options, done, `generation ${done.generation} begins${since === undefined ? '' : ` at ${since}`}`)
    })
}

function act(events: Command, name: string, description: string): Command {
  return events.command(name).description(description).requiredOption('-r, --reason <text>', 'why; it is written down')
}

function say(io: CliIo, { json }: { readonly json?: true }, done: object, text: string): void {
  io.out(json ? `${JSON.stringify(done, undefined, 2)}\n` : `${text}\n`)
}

import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { contextFor } from '../context.ts'
import type { CliIo } from '../io.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'

/** `trestle store dump | load | reset | url`: one service's database. */
export const storeCommand: AddCommand = (program, io) => {
  const store = program
    .command('store')
    .description("dump, load, reset or reach a service's database")
    .helpCommand(false)
    .addHelpText('after', notes)
  addDump(store, io)
  addLoad(store, io)
  addReset(store, io)
  addUrl(store, io)
}

const notes = `
Examples:
  trestle store dump orders > orders.dump
  trestle store load orders orders.dump
  psql "$(trestle store url orders)"

The embedded PostgreSQL is used as it runs; where it does not, it runs for as long as the command takes.
`

function addDump(store: Command, io: CliIo): void {
  store
    .command('dump')
    .description('write everything that a service has, as of one moment')
    .argument('<service>', 'whose database')
    .option('-o, --output <file>', 'write there (default: stdout)')
    .addOption(systemOption())
    .action(async (service: string, options: SystemOption & { readonly output?: string }) => {
      if (options.output === undefined && io.terminal) {
        throw new CliError('usage', 'a dump is not for a terminal', { remedy: 'Write it to a file: --output FILE' })
      }
      const acts = await import('../store-acts.ts')
      const totals = await acts.dumpTo(io, contextFor(io, options.system), service, options.output)
      io.err(`${said(totals)} of ${service} dumped\n`)
    })
}

function addLoad(store: Command, io: CliIo): void {
  store
    .command('load')
    .description('replace everything that a service has by what a dump holds; all or nothing')
    .argument('<service>', 'whose database')
    .argument('<file>', 'the dump')
    .addOption(systemOption())
    .action(async (service: string, file: string, options: SystemOption) => {
      const acts = await import('../store-acts.ts')
      const totals = await acts.loadFrom(io, contextFor(io, options.system), service, file)
      io.out(`${said(totals)} of ${service} loaded\n`)
    })
}

function addReset(store: Command, io: CliIo): void {
  store
    .command('reset')
    .description('take away everything that a service has; its migrations run again at its next start')
    .argument('<service>', 'whose database')
    .option('--yes', 'really')
    .addOption(systemOption())
    .action(async (service: string, options: SystemOption & { readonly yes?: true }) => {
      if (!options.yes) {
        throw new CliError('usage', `this takes away all data of ${service}`, { remedy: 'Say so: add --yes' })
      }
      const acts = await import('../store-acts.ts')
      await acts.reset(io, contextFor(io, options.system), service)
      io.out(`${service} is empty; if it runs: trestle restart ${service}\n`)
    })
}

function addUrl(store: Command, io: CliIo): void {
  store
    .command('url')
    .description("print the URL of a service's database, password included, for psql and the like")
    .argument('<service>', 'whose database')
    .addOption(systemOption())
    .action(async (service: string, options: SystemOption) => {
      const acts = await import('../store-acts.ts')
      const url = await acts.urlOf(io, contextFor(io, options.system), service)
      io.out(`${url}\n`)
    })
}

function said({ tables, rows }: { readonly tables: number; readonly rows: number }): string {
  return `${tables} tables, ${rows} rows`
}

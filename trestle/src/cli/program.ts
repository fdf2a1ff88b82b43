import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { asyncapiCommand } from './commands/asyncapi.ts'
import { callCommand } from './commands/call.ts'
import { configCommand } from './commands/config.ts'
import { deployCommand } from './commands/deploy.ts'
import { devCommand } from './commands/dev.ts'
import { eventsCommand } from './commands/events.ts'
import { gatewayCommand } from './commands/gateway.ts'
import { initCommand } from './commands/init.ts'
import { jobsCommand } from './commands/jobs.ts'
import { keysCommand } from './commands/keys.ts'
import { migrateCommand } from './commands/migrate.ts'
import { openapiCommand } from './commands/openapi.ts'
import { plansCommand } from './commands/plans.ts'
import { psCommand } from './commands/ps.ts'
import { restartCommand } from './commands/restart.ts'
import { routesCommand } from './commands/routes.ts'
import { sagasCommand } from './commands/sagas.ts'
import { scaleCommand } from './commands/scale.ts'
import { startCommand } from './commands/start.ts'
import { stopCommand } from './commands/stop.ts'
import { storeCommand } from './commands/store.ts'
import { usageCommand } from './commands/usage.ts'
import { upstreamsCommand } from './commands/upstreams.ts'
import type { CliIo } from './io.ts'

/** Adds one command to the program. */
export type AddCommand = (program: Command, io: CliIo) => void

const groups: readonly (readonly [heading: string, commands: readonly AddCommand[]])[] = [
  ['Write and run:', [initCommand, devCommand, startCommand, gatewayCommand]],
  [
    'The running system:',
    [psCommand, callCommand, scaleCommand, restartCommand, stopCommand, deployCommand, upstreamsCommand],
  ],
  ['Events, sagas and jobs:', [eventsCommand, sagasCommand, jobsCommand]],
  ['Who may use the gateway:', [keysCommand, plansCommand, usageCommand]],
  ['What the contracts say:', [routesCommand, openapiCommand, asyncapiCommand]],
  ['Data and settings:', [migrateCommand, storeCommand, configCommand]],
]

const examples = `
Examples:
  trestle init hello          write a small project with one service and its test
  trestle dev                 run the system of this folder in one process; reload it on every change
  trestle start               run it as placed: by default a process per service, restarted when one crashes
  trestle ps                  what runs where (in another terminal)
  trestle scale orders=3      three processes of one service, without a failed request
  trestle deploy orders       put that service's new code to work, without a failed request
  trestle call orders.find id=0198c0de-...
  trestle gateway edge.yaml   a gateway alone, in front of any HTTP services

A system is a file that exports system(...) by default. Commands look for it in ./system.ts, or in the file that
package.json names: "trestle": { "system": "..." }. Every command explains itself: trestle help COMMAND.

Exit status: 0 done, 1 failed, 2 wrong command line or setting, 3 no system runs, 4 it runs already,
5 a service answered with a problem.
`

/** The whole command line. */
export function createProgram(io: CliIo): Command {
  const program = new Command('trestle')
    .description('Builds, runs and exposes services: in one process or in many, behind one gateway.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand('help [command]', 'explain a command')
    .showSuggestionAfterError()
    .showHelpAfterError('(trestle --help explains)')
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHasColors: () => io.colors.isColorSupported,
      outputError: (text, write) => write(text.replace(/^error: /, `${io.colors.red('error')}: `)),
    })
    .configureHelp({ styleTitle: (title) => io.colors.bold(title) })
    .addHelpText('after', examples)
  for (const [heading, commands] of groups) {
    program.commandsGroup(heading)
    for (const add of commands) add(program, io)
  }
  for (const command of program.commands) sayWhoExplains(command, program.name())
  return program
}

/** A mistake is explained by the command that was meant, not by the list of all. */
function sayWhoExplains(command: Command, parents: string): void {
  const path = `${parents} ${command.name()}`
  command.showHelpAfterError(`(${path} --help explains)`)
  for (const sub of command.commands) sayWhoExplains(sub, path)
}

/** The version of this package; its manifest stands two folders up, in the workspace and as published. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}

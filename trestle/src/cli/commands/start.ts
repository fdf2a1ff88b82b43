import { contextFor } from '../context.ts'
import { tryFindSystem } from '../find-system.ts'
import { operateEach, type OperateOptions } from '../operate.ts'
import { systemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'

/** A name without any sign of a path. */
const serviceForm = /^[a-z][a-z0-9-]*$/

interface StartCommandOptions extends OperateOptions {
  readonly topology?: string
}

/** `trestle start [system]`, and `trestle start SERVICE` for a service that was stopped. */
export const startCommand: AddCommand = (program, io) => {
  program
    .command('start')
    .description('start a system as a topology places it; or one stopped service of the running system')
    .argument('[system-or-service]', 'a system file or folder; or the name of a service that was stopped')
    .option('-t, --topology <name>', 'how to place the services (default: split, where the system has it)')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', startNotes)
    .action(async (argument: string | undefined, options: StartCommandOptions) => {
      const system = argument ?? options.system
      if (argument !== undefined && serviceForm.test(argument) && tryFindSystem(io.cwd, argument) === undefined) {
        return operateEach(io, options, [argument], {
          doing: 'starting',
          done: 'runs again',
          run: (operator, service) => operator.start(service),
        })
      }
      const context = contextFor(io, system)
      const { runSystem } = await import('../run-system.ts')
      await runSystem(io, context, { topology: options.topology, preferred: 'split', json: options.json === true })
    })
}

const startNotes = `
Examples:
  trestle start                       the system of this folder
  trestle start systems/store         the system of that folder
  trestle start --topology merged     all in one process
  trestle start orders                start the service orders again, after: trestle stop orders

What is a file or a folder with a system is started as a system; any other name is a service of the running system.
Ports and folders come from the environment: trestle config shows them. The system runs until Ctrl-C or SIGTERM, which
let calls in progress finish; a second Ctrl-C ends it at once.
`

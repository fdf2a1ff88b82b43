import type { AddCommand } from '../program.ts'
import { operateEach, type OperateOptions } from '../operate.ts'
import { systemOption } from '../options.ts'

/** `trestle restart orders`. */
export const restartCommand: AddCommand = (program, io) => {
  program
    .command('restart')
    .description("replace a service's processes by new ones, without a failed request")
    .argument('<service...>', 'services, or gateway')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nTo put new code to work: trestle deploy SERVICE.\n')
    .action((services: readonly string[], options: OperateOptions) =>
      operateEach(io, options, services, {
        doing: 'restarting',
        done: 'has been restarted',
        run: (operator, service) => operator.restart(service),
      }),
    )
}

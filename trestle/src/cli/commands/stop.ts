import type { AddCommand } from '../program.ts'
import { operateEach, type OperateOptions } from '../operate.ts'
import { systemOption } from '../options.ts'

/** `trestle stop orders`. */
export const stopCommand: AddCommand = (program, io) => {
  program
    .command('stop')
    .description('stop a service; its callers get unavailable until it is started again')
    .argument('<service...>', 'services, or gateway')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIt finishes what it has begun. Start it again with: trestle start SERVICE.\nTo stop the whole system: Ctrl-C where it runs, or SIGTERM to its process (trestle ps shows the pid).\n',
    )
    .action((services: readonly string[], options: OperateOptions) =>
      operateEach(io, options, services, {
        doing: 'stopping',
        done: 'is stopped',
        run: (operator, service) => operator.stop(service),
      }),
    )
}

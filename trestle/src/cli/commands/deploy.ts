import type { AddCommand } from '../program.ts'
import { operateEach, type OperateOptions } from '../operate.ts'
import { systemOption } from '../options.ts'

/** `trestle deploy orders`. */
export const deployCommand: AddCommand = (program, io) => {
  program
    .command('deploy')
    .description('put the code on disk to work, for one service only, without a failed request')
    .argument('<service...>', 'services, or gateway')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nNew processes start with the new code and take over when they are ready. If they do not become ready, what ran\nbefore goes on and the command fails.\n',
    )
    .action((services: readonly string[], options: OperateOptions) =>
      operateEach(io, options, services, {
        doing: 'deploying',
        done: 'has been deployed',
        run: (operator, service) => operator.deploy(service),
      }),
    )
}

import { CliError } from '../cli-error.ts'
import type { AddCommand } from '../program.ts'
import { type Act, operate, type OperateOptions } from '../operate.ts'
import { systemOption } from '../options.ts'

/** `trestle scale orders=3`: how many processes run a service. */
export const scaleCommand: AddCommand = (program, io) => {
  program
    .command('scale')
    .description('set how many processes run a service, without a failed request')
    .argument('<service=replicas...>', 'a service (or gateway) and how many processes shall run it, 1 to 64')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  trestle scale orders=3\n  trestle scale orders=3 gateway=2\n')
    .action((wanted: readonly string[], options: OperateOptions) => operate(io, options, wanted.map(scaling)))
}

function scaling(text: string): Act {
  const [, service, count] = /^([a-z][a-z0-9-]*)=(\d{1,4})$/.exec(text) ?? []
  if (service === undefined || count === undefined) {
    throw new CliError('usage', `${text} is not of the form service=replicas`, {
      remedy: 'Write, for example: orders=3',
    })
  }
  const replicas = Number(count)
  return {
    service,
    doing: `scaling ${service} to ${replicas}`,
    done: `${service} runs in ${replicas} ${replicas === 1 ? 'process' : 'processes'}`,
    run: (operator) => operator.scale(service, replicas),
  }
}

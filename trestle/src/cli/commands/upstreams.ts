import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'

/** `trestle upstreams`: how those behind the gateways stand. */
export const upstreamsCommand: AddCommand = (program, io) => {
  program
    .command('upstreams')
    .description('show the targets of upstreams and the instances of services, as each running gateway sees them')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText('after', notes)
    .action(async (options: SystemOption & { readonly json?: true }) => {
      const { listUpstreams } = await import('../list-upstreams.ts')
      await listUpstreams(io, options.system, { json: options.json === true })
    })
}

const notes = `
healthy: asked. probation: asked a little, after it was left alone. ejected: left alone for a while because of its replies.
unhealthy: left alone because its check failed. LATENCY is what decides who is asked: its worst moments weigh most.
`

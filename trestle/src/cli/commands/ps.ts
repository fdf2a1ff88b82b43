import type { ProcessStatus, ServiceStatus, SystemStatus } from '../../call/operator.ts'
import type { CliIo } from '../io.ts'
import type { AddCommand } from '../program.ts'
import { showBytes, showDuration } from '../quantities.ts'
import { systemOption, type SystemOption } from '../options.ts'
import { type Column, textTable } from '../table.ts'

/** `trestle ps`: what runs where. */
export const psCommand: AddCommand = (program, io) => {
  program
    .command('ps')
    .description('show what runs where: service, version, state, pid, uptime, restarts, memory, CPU')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (options: SystemOption & { readonly json?: true }) => {
      const { withRunningSystem } = await import('../running-system.ts')
      const status = await withRunningSystem(io, options.system, ({ operator }) => operator.status())
      io.out(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : statusTable(status, io))
    })
}

const columns: readonly Column[] = [
  { title: 'SERVICE' },
  { title: 'VERSION' },
  { title: 'STATE' },
  { title: 'REPLICAS', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'UPTIME', align: 'right' },
  { title: 'RESTARTS', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'CPU', align: 'right' },
]

/** A line per process; a service with several has its name on the first one only. */
function statusTable(status: SystemStatus, io: CliIo): string {
  const title = `${status.system}, ${status.topology}, pid ${status.pid}, up ${showDuration(status.uptimeMs)}`
  const reasons = status.services.flatMap(({ service, reason }) =>
    reason === undefined ? [] : [`${service}: ${reason}\n`],
  )
  const rows = status.services.flatMap((service) => serviceRows(service, io))
  return `${io.colors.bold(title)}\n${textTable(columns, rows)}${reasons.join('')}`
}

function serviceRows(service: ServiceStatus, io: CliIo): readonly (readonly string[])[] {
  const { ready, wanted } = { ready: readyCount(service), wanted: service.replicas }
  const head = [service.service, service.version ?? '-', coloured(service.state, io), `${ready}/${wanted}`]
  if (service.processes.length === 0) return [[...head, '-', '-', '-', '-', '-']]
  return service.processes.map((process, index) => [
    ...(index === 0 ? head : ['', process.version ?? '-', coloured(process.state, io), '']),
    ...processCells(process),
  ])
}

function processCells({ pid, uptimeMs, restarts, memoryBytes, cpuPercent }: ProcessStatus): readonly string[] {
  return [
    pid === undefined ? '-' : String(pid),
    uptimeMs === undefined ? '-' : showDuration(uptimeMs),
    String(restarts),
    memoryBytes === undefined ? '-' : showBytes(memoryBytes),
    cpuPercent === undefined ? '-' : `${cpuPercent.toFixed(0)} %`,
  ]
}

function readyCount(service: ServiceStatus): number {
  return service.processes.filter((process) => process.state === 'ready').length
}

function coloured(state: ServiceStatus['state'] | ProcessStatus['state'], io: CliIo): string {
  if (state === 'ready') return io.colors.green(state)
  return state === 'failed' || state === 'down' ? io.colors.red(state) : io.colors.yellow(state)
}

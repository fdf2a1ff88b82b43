import type { SystemDescription } from '../system/index.ts'
import type { CliIo } from './io.ts'
import { textTable } from './table.ts'

const gatewayNote = 'trestle routes: what answers, who may ask, which policies hold'
const adminNote = 'for trestle ps, scale, restart, deploy'

/** What a start says: services and where they run, the addresses, what is embedded, and `line`, one to try. */
export function startTable(what: SystemDescription, line: string, tookMs: number, io: CliIo): string {
  const { bold, dim, cyan } = io.colors
  const rows = what.services.map(({ service, version, where, pids }) => [
    service,
    version ?? '',
    where,
    pids.join(', '),
  ])
  const facts: readonly (readonly [string, string])[] = [
    ['Gateway', `${cyan(what.gatewayUrl)}  ${dim(gatewayNote)}`],
    ...(what.adminUrl === undefined ? [] : [['Admin', `${cyan(what.adminUrl)}  ${dim(adminNote)}`] as const]),
    ...(what.stores === undefined ? [] : [['Databases', what.stores] as const]),
    ...what.beside.map(({ name, url, where, pids }) => besideLine(name, cyan(url), where, pids, dim)),
    ['Try', bold(line)],
    ['Stop', 'Ctrl-C'],
  ]
  return [
    `${bold(what.system)} runs (topology ${what.topology}), started in ${(tookMs / 1000).toFixed(1)} s\n\n`,
    textTable([{ title: 'SERVICE' }, { title: 'VERSION' }, { title: 'RUNS IN' }, { title: 'PID' }], rows),
    '\n',
    ...facts.map(([name, value]) => `${name.padEnd(11)}${value}\n`),
    '\n',
  ].join('')
}

function besideLine(
  name: string,
  url: string,
  where: string,
  pids: readonly number[],
  dim: (text: string) => string,
): readonly [string, string] {
  const process = pids.length === 0 ? where : `${where}, pid ${pids.join(', ')}`
  return ['Beside', `${name}  ${url}  ${dim(process)}`]
}

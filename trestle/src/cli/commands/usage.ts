import { momentOf } from '../access-texts.ts'
import { askAccess } from '../ask-access.ts'
import { oneOfOption, timeOption } from '../option-values.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'
import { type Column, textTable } from '../table.ts'

const steps = ['minute', 'hour', 'day', 'month', 'total'] as const
const groups = ['key', 'route', 'status'] as const

interface UsageOptions extends SystemOption {
  readonly key?: string
  readonly owner?: string
  readonly route?: string
  readonly from?: string
  readonly to?: string
  readonly by?: (typeof steps)[number]
  readonly group?: readonly (typeof groups)[number][]
  readonly json?: true
}

/** `trestle usage`: requests and units by key, route, status class and time. */
export const usageCommand: AddCommand = (program, io) => {
  const addGroup = (text: string, before: NonNullable<UsageOptions['group']> = []) => [
    ...before,
    oneOfOption(groups)(text),
  ]
  program
    .command('usage')
    .description('show how much the keys were used: requests, and the units that counted against quotas')
    .option('-k, --key <id>', 'only of this key')
    .option('-o, --owner <owner>', "only of this owner's keys")
    .option('-r, --route <name>', 'only of this route')
    .option('--from <time>', 'from then on (default: the begin of this month, UTC)', timeOption)
    .option('--to <time>', 'until then, not included (default: now)', timeOption)
    .option('-b, --by <step>', `${steps.join(', ')} (default: day)`, oneOfOption(steps))
    .option('-g, --group <what...>', `what is told apart: ${groups.join(', ')} (default: all)`, addGroup)
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  trestle usage --owner ada --by month --group key\n  trestle usage --from 2026-11-01 --route lookup.find\n\nMinutes are kept for 7 days, then hours for 35 days, then days for 400 days.\n',
    )
    .action(async (options: UsageOptions) => {
      const { key, owner, route, from, to, by, group } = options
      const rows = await askAccess(io, options.system, (access) =>
        access.usage.try({
          ...(key === undefined ? {} : { keyId: key }),
          ...(owner === undefined ? {} : { owner }),
          ...(route === undefined ? {} : { route }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(by === undefined ? {} : { by }),
          ...(group === undefined ? {} : { groups: [...group] }),
        }),
      )
      io.out(options.json ? `${JSON.stringify(rows, undefined, 2)}\n` : textTable(columns, rows.map(cells)))
    })
}

const columns: readonly Column[] = [
  { title: 'FROM' },
  { title: 'KEY' },
  { title: 'ROUTE' },
  { title: 'STATUS' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'UNITS', align: 'right' },
]

interface UsageRow {
  readonly from: string
  readonly keyId: string | null
  readonly route: string | null
  readonly statusClass: string | null
  readonly requests: number
  readonly units: number
}

function cells({ from, keyId, route, statusClass, requests, units }: UsageRow): readonly string[] {
  return [momentOf(from), keyId ?? 'all', route ?? 'all', statusClass ?? 'all', String(requests), String(units)]
}

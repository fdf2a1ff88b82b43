import { type Command, InvalidArgumentError } from 'commander'
import { limitText, quotaText } from '../access-texts.ts'
import { askAccess } from '../ask-access.ts'
import type { CliIo } from '../io.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'
import { textTable } from '../table.ts'

interface JsonOption extends SystemOption {
  readonly json?: true
}

/** `trestle plans list | set | remove`: what keys on a plan may do, and how much. */
export const plansCommand: AddCommand = (program, io) => {
  const plans = program
    .command('plans')
    .description('show, make, change and remove plans: routes, quotas and rate limits of keys')
    .helpCommand(false)
    .addHelpText('after', notes)
  addList(plans, io)
  addSet(plans, io)
  addRemove(plans, io)
}

const notes = `
Examples:
  trestle plans list
  trestle plans set trial --route lookup.find --quota 100/day --limit 1/1s
  trestle plans remove trial

Plans that the gateway's configuration declares are changed there. A change holds in every gateway within a second.
`

const columns = ['PLAN', 'TITLE', 'ROUTES', 'QUOTAS', 'LIMITS', 'FROM'].map((title) => ({ title }))

function addList(plans: Command, io: CliIo): void {
  plans
    .command('list')
    .description('show all plans')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (options: JsonOption) => {
      const found = await askAccess(io, options.system, (access) => access.listPlans.try({}))
      if (options.json) {
        io.out(`${JSON.stringify(found, undefined, 2)}\n`)
        return
      }
      const rows = found.map(({ name, title, routes, quotas, limits, declared }) => [
        name,
        title ?? '-',
        routes.join(' ') || '-',
        quotas.map(quotaText).join(', ') || '-',
        limits.map(limitText).join(', ') || '-',
        declared ? 'configuration' : 'operator',
      ])
      io.out(textTable(columns, rows))
    })
}

type Quota = { readonly per: 'day' | 'month'; readonly allow: number; readonly of?: 'owner' | 'key' }
type Limit = { readonly allow: number; readonly windowMs: number; readonly burst?: number }

interface SetOptions extends JsonOption {
  readonly title?: string
  readonly route?: readonly string[]
  readonly quota?: readonly Quota[]
  readonly limit?: readonly Limit[]
}

function addSet(plans: Command, io: CliIo): void {
  plans
    .command('set')
    .description('make a plan, or replace all that it says')
    .argument('<name>', 'lower case letters, digits and hyphens')
    .option('-t, --title <title>', 'for people')
    .option('-r, --route <name...>', 'a route: lookup.find, lookup.* or "GET /legacy/*" (default: * for all)')
    .option('-q, --quota <quota...>', 'units per day or month: 1000/day, 1000/day/key for each key alone', addQuota)
    .option('-l, --limit <limit...>', 'requests per time: 5/1s, 100/60s/20 with a burst of 20', addLimit)
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (name: string, options: SetOptions) => {
      const { title, route, quota, limit } = options
      const plan = await askAccess(io, options.system, (access) =>
        access.putPlan.try({
          name,
          ...(title === undefined ? {} : { title }),
          ...(route === undefined ? {} : { routes: [...route] }),
          ...(quota === undefined ? {} : { quotas: [...quota] }),
          ...(limit === undefined ? {} : { limits: [...limit] }),
        }),
      )
      io.out(options.json ? `${JSON.stringify(plan, undefined, 2)}\n` : `the plan ${name} has been set\n`)
    })
}

function addQuota(text: string, before: readonly Quota[] = []): readonly Quota[] {
  const [, allow, per, key] = /^(\d{1,13})\/(day|month)(\/key)?$/.exec(text) ?? []
  if (allow === undefined || per === undefined) throw new InvalidArgumentError('Write 1000/day or 20000/month.')
  return [...before, { per: per as Quota['per'], allow: Number(allow), of: key === undefined ? 'owner' : 'key' }]
}

function addLimit(text: string, before: readonly Limit[] = []): readonly Limit[] {
  const [, allow, count, unit, burst] = /^(\d{1,9})\/(\d{1,9})(ms|s)(?:\/(\d{1,9}))?$/.exec(text) ?? []
  if (allow === undefined || count === undefined) throw new InvalidArgumentError('Write 5/1s or 100/60s/20.')
  const windowMs = Number(count) * (unit === 's' ? 1_000 : 1)
  return [...before, { allow: Number(allow), windowMs, ...(burst === undefined ? {} : { burst: Number(burst) }) }]
}

function addRemove(plans: Command, io: CliIo): void {
  plans
    .command('remove')
    .description('remove a plan that no key is on')
    .argument('<name>', 'which plan')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (name: string, options: JsonOption) => {
      await askAccess(io, options.system, (access) => access.removePlan.try({ name }))
      io.out(options.json ? `${JSON.stringify({ name, removed: true })}\n` : `the plan ${name} has been removed\n`)
    })
}

import type { Command } from 'commander'
import { askAccess } from '../ask-access.ts'
import type { CliIo } from '../io.ts'
import { momentOf } from '../access-texts.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'
import { durationOption, futureOption, wholeOption } from '../option-values.ts'
import { textTable } from '../table.ts'

interface JsonOption extends SystemOption {
  readonly json?: true
}

/** `trestle keys create | list | rotate | revoke | disable | enable`: the gateway's API keys. */
export const keysCommand: AddCommand = (program, io) => {
  const keys = program
    .command('keys')
    .description("make, list, rotate, revoke, disable and enable the gateway's API keys")
    .helpCommand(false)
    .addHelpText('after', notes)
  addCreate(keys, io)
  addList(keys, io)
  addRotate(keys, io)
  addRevoke(keys, io)
  addSwitch(keys, io, 'disable', 'refuse a key until it is enabled again', false)
  addSwitch(keys, io, 'enable', 'let a disabled key in again', true)
}

const notes = `
Examples:
  trestle keys create "first app" --owner ada --plan free
  trestle keys list --owner ada
  trestle keys rotate 0198c0de-... --grace "2 days"

A key is shown once, when it is made or rotated: only its hash is kept. What is changed here holds in every gateway
within a second.
`

interface CreateOptions extends JsonOption {
  readonly owner: string
  readonly plan?: string
  readonly scope?: readonly string[]
  readonly environment?: string
  readonly expires?: string
}

function addCreate(keys: Command, io: CliIo): void {
  keys
    .command('create')
    .description('make a key and show it, this once')
    .argument('<name>', 'what it is for')
    .requiredOption('-o, --owner <owner>', 'whoever it is made for: a customer, an application')
    .option('-p, --plan <plan>', 'what it may do, and how much')
    .option('--scope <scope...>', 'its scopes')
    .option('-e, --environment <name>', 'part of the key, so that people see which one is for tests (default: live)')
    .option('--expires <time>', 'when it ends: 2027-01-31 or 2027-01-31T12:00:00Z', futureOption)
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (name: string, options: CreateOptions) => {
      const { owner, plan, scope, environment, expires } = options
      const made = await askAccess(io, options.system, (access) =>
        access.createKey.try({
          name,
          owner,
          ...(plan === undefined ? {} : { plan }),
          ...(scope === undefined ? {} : { scopes: [...scope] }),
          ...(environment === undefined ? {} : { environment }),
          ...(expires === undefined ? {} : { expiresAt: expires }),
        }),
      )
      showSecret(io, made, options.json)
    })
}

/** The key alone on stdout, so that a script can take it from there. */
function showSecret(
  io: CliIo,
  made: { readonly key: { readonly id: string }; readonly secret: string },
  json: true | undefined,
): void {
  if (json) {
    io.out(`${JSON.stringify(made, undefined, 2)}\n`)
    return
  }
  io.out(`${made.secret}\n`)
  io.err(`Its id is ${made.key.id}. The key itself is not shown again.\n`)
}

const columns = ['ID', 'NAME', 'OWNER', 'KEY', 'PLAN', 'STATE', 'LAST USED', 'EXPIRES'].map((title) => ({ title }))

function addList(keys: Command, io: CliIo): void {
  keys
    .command('list')
    .description('show keys, newest first')
    .option('-o, --owner <owner>', 'only those of this owner')
    .option('-n, --limit <count>', 'at most so many, 1 to 10,000 (default: 100)', wholeOption(1, 10_000))
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (options: JsonOption & { readonly owner?: string; readonly limit?: number }) => {
      const { owner, limit = 100 } = options
      const items = await askAccess(io, options.system, async (access) => {
        const found: Awaited<ReturnType<typeof access.listKeys>>['items'] = []
        for (let cursor: string | null | undefined; found.length < limit && cursor !== null; ) {
          const page = await access.listKeys.try({
            limit: Math.min(100, limit - found.length),
            ...(owner === undefined ? {} : { owner }),
            ...(cursor === undefined ? {} : { cursor }),
          })
          if (!page.ok) return page
          found.push(...page.value.items)
          cursor = page.value.next
        }
        return { ok: true, value: found }
      })
      if (options.json) io.out(`${JSON.stringify(items, undefined, 2)}\n`)
      else
        io.out(
          textTable(
            columns,
            items.map((key) => keyCells(key, io)),
          ),
        )
    })
}

interface ListedKey {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly prefix: string
  readonly plan: string | null
  readonly enabled: boolean
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
  readonly expiresAt: string | null
}

function keyCells(key: ListedKey, io: CliIo): readonly string[] {
  const ended = key.revokedAt !== null
  const state = ended
    ? io.colors.red('revoked')
    : key.enabled
      ? io.colors.green('enabled')
      : io.colors.yellow('disabled')
  const moments = [momentOf(key.lastUsedAt), momentOf(key.expiresAt)]
  return [key.id, key.name, key.owner, `${key.prefix}…`, key.plan ?? '-', state, ...moments]
}

function addRotate(keys: Command, io: CliIo): void {
  keys
    .command('rotate')
    .description('make a new key with the same id; the old one goes on for a while')
    .argument('<id>', 'which key')
    .option(
      '-g, --grace <time>',
      'for how long the old one goes on: "2 hours" (default: 1 day, at most 24 days)',
      durationOption,
    )
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (id: string, options: JsonOption & { readonly grace?: number }) => {
      const { grace } = options
      const made = await askAccess(io, options.system, (access) =>
        access.rotateKey.try({ id, ...(grace === undefined ? {} : { graceMs: grace }) }),
      )
      showSecret(io, made, options.json)
    })
}

function addRevoke(keys: Command, io: CliIo): void {
  keys
    .command('revoke')
    .description('refuse a key for good')
    .argument('<id>', 'which key')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (id: string, options: JsonOption) => {
      await askAccess(io, options.system, (access) => access.revokeKey.try({ id }))
      io.out(options.json ? `${JSON.stringify({ id, revoked: true })}\n` : `${id} has been revoked\n`)
    })
}

function addSwitch(keys: Command, io: CliIo, name: 'enable' | 'disable', what: string, enabled: boolean): void {
  keys
    .command(name)
    .description(what)
    .argument('<id>', 'which key')
    .addOption(systemOption())
    .option('--json', 'print JSON')
    .action(async (id: string, options: JsonOption) => {
      const key = await askAccess(io, options.system, (access) => access.updateKey.try({ id, enabled }))
      io.out(options.json ? `${JSON.stringify(key, undefined, 2)}\n` : `${id} has been ${name}d\n`)
    })
}

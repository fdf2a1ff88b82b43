import { InvalidArgumentError } from 'commander'
import type { Reply } from '../../call/call.ts'
import type { Problem } from '../../call/problem.ts'
import { exitCodes } from '../exit-codes.ts'
import { Finished } from '../finished.ts'
import type { CliIo } from '../io.ts'
import { systemOption, type SystemOption } from '../options.ts'
import type { AddCommand } from '../program.ts'

interface CallCommandOptions extends SystemOption {
  readonly input?: string
  readonly key?: string
  readonly as?: { readonly kind: 'user'; readonly id: string }
  readonly json?: true
}

/** `trestle call orders.find id=...`: any operation, exposed or not, as an operator. */
export const callCommand: AddCommand = (program, io) => {
  program
    .command('call')
    .description('call any operation, exposed or not, as an operator')
    .argument('<operation>', 'contract and operation: orders.find, or orders@2.find')
    .argument('[field=value...]', 'its input; objects and lists as JSON: lines=\'[{"sku":"A1"}]\'')
    .option('-i, --input <json>', 'the whole input as JSON')
    .option('-k, --key <key>', 'idempotency key, for operations that need one')
    .option('-a, --as <user:id>', 'call on behalf of this user', asCaller)
    .addOption(systemOption())
    .option('--json', 'print the reply as one line of JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  trestle call orders.find id=0198c0de-0000-7000-8000-000000000001 --as user:42\n  trestle call catalogue.list query=lamp limit=3\n',
    )
    .action(async (operation: string, fields: readonly string[], options: CallCommandOptions) => {
      const [{ withRunningSystem }, { findOperation }, { callInput }] = await Promise.all([
        import('../running-system.ts'),
        import('../find-operation.ts'),
        import('../call-input.ts'),
      ])
      const reply = await withRunningSystem(io, options.system, async ({ operator, context }) => {
        const target = await findOperation(context.found.file, operation)
        const input = callInput(target.operation, fields, options.input)
        return operator.call({
          contract: target.contract,
          operation: target.operation.name,
          input,
          ...(options.key === undefined ? {} : { key: options.key }),
          ...(options.as === undefined ? {} : { as: options.as }),
        })
      })
      printReply(io, reply, options.json === true)
    })
}

function asCaller(text: string): { readonly kind: 'user'; readonly id: string } {
  const id = /^user:(.+)$/.exec(text)?.[1]
  if (id === undefined) throw new InvalidArgumentError('Write user:ID.')
  return { kind: 'user', id }
}

function printReply(io: CliIo, reply: Reply, json: boolean): void {
  if (!reply.ok) {
    io.err(json ? `${JSON.stringify(reply.problem)}\n` : problemText(reply.problem, io))
    throw new Finished(exitCodes.problem)
  }
  const { body } = reply
  if (body.kind === 'value') io.out(`${JSON.stringify(body.value, undefined, json ? 0 : 2)}\n`)
  if (body.kind === 'bytes') io.out(body.bytes)
}

function problemText({ code, status, title, detail, errors, details, traceId }: Problem, io: CliIo): string {
  const lines = [
    `${io.colors.red(code)} (${status}): ${title}`,
    ...(detail === undefined ? [] : [detail]),
    ...(errors ?? []).map((fault) => `  ${fault.pointer || '/'} ${fault.detail}`),
    ...(details === undefined ? [] : [JSON.stringify(details)]),
    ...(traceId === undefined ? [] : [io.colors.dim(`trace ${traceId}`)]),
  ]
  return `${lines.join('\n')}\n`
}

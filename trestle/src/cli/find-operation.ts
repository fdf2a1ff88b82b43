import type { AnyContract } from '../contract/contract.ts'
import type { AnyOperation } from '../contract/operation.ts'
import { CliError } from './cli-error.ts'
import { contractsOf, systemOf } from './system-contracts.ts'

type NamedOperation = AnyOperation & { readonly name: string }

/**
 * The operation that `contract.operation` names; a contract without a version is its newest.
 * @throws CliError `operation_unknown` that says what there is
 */
export async function findOperation(
  file: string,
  text: string,
): Promise<{ readonly contract: string; readonly operation: NamedOperation }> {
  const [, name = '', operation = ''] = /^(.+)\.([^.]+)$/.exec(text) ?? []
  const contracts = contractsOf(await systemOf(file))
  const newest = contracts.filter((one) => one.name === name).toSorted((a, b) => major(b) - major(a))[0]
  const contract = contracts.find((one) => one.id === name) ?? newest
  if (contract === undefined)
    throw unknown(
      text,
      'Contracts',
      contracts.map((one) => one.id),
    )
  const found: NamedOperation | undefined = contract.operations[operation]
  if (found === undefined) throw unknown(text, `Operations of ${name}`, Object.keys(contract.operations))
  return { contract: contract.id, operation: found }
}

function major(contract: AnyContract): number {
  return Number.parseInt(contract.version, 10)
}

function unknown(text: string, what: string, names: readonly string[]): CliError {
  return new CliError('operation_unknown', `there is no operation ${text}`, { remedy: `${what}: ${names.join(', ')}` })
}

import type { AnyContract } from '../contract/contract.ts'
import type { AnyHandler } from './service.ts'

/**
 * The handlers by contract id and operation name. The types have said the same already, but not to plain JavaScript.
 * @throws TypeError that names every handler that is missing or belongs to no operation
 */
export function checkedHandlers(
  service: string,
  contracts: readonly AnyContract[],
  handlers: unknown,
): ReadonlyMap<string, ReadonlyMap<string, AnyHandler>> {
  const lists = (contracts.length === 1 ? [handlers] : handlers) as readonly Readonly<Record<string, AnyHandler>>[]
  const byContract = new Map(
    contracts.map((contract, index) => [contract.id, handlersOf(service, contract, lists[index] ?? {})]),
  )
  if (byContract.size !== contracts.length) throw new TypeError(`${service} implements the same contract twice`)
  return byContract
}

function handlersOf(
  service: string,
  contract: AnyContract,
  handlers: Readonly<Record<string, AnyHandler>>,
): ReadonlyMap<string, AnyHandler> {
  const operations = Object.keys(contract.operations)
  const missing = operations.filter((name) => !Object.hasOwn(handlers, name) || typeof handlers[name] !== 'function')
  const unknown = Object.keys(handlers).filter((name) => !operations.includes(name))
  if (missing.length > 0) throw new TypeError(`${service}: no handler for ${contract.name}.${missing.join(', ')}`)
  if (unknown.length > 0) throw new TypeError(`${service}: ${contract.name} has no operation ${unknown.join(', ')}`)
  return new Map(Object.entries(handlers))
}

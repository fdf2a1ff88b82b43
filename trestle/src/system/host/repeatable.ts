import type { AnyContract } from '../../contract/contract.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import type { System } from '../system.ts'

/** Whether an operation may be asked again when nobody knows if it was processed: it is idempotent by itself. */
export function repeatable(system: System): (contract: string, operation: string) => boolean {
  const contracts: readonly AnyContract[] = [
    ...system.services.flatMap((service) => service.contracts),
    ...system.externals.map((service) => service.contract),
  ]
  const names = new Set(
    contracts.flatMap((contract) =>
      Object.values<AnyOperation & { readonly name: string }>(contract.operations)
        .filter((operation) => operation.idempotent === 'natural')
        .map((operation) => `${contract.id}/${operation.name}`),
    ),
  )
  return (contract, operation) => names.has(`${contract}/${operation}`)
}

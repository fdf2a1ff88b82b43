import type { AnyContract } from '../../contract/contract.ts'
import type { AnyOperation, Idempotency } from '../../contract/operation.ts'
import type { System } from '../system.ts'

/** What the contracts of a system say about asking an operation twice. Unknown ones: `no`. */
export function idempotencyOf(system: System): (contract: string, operation: string) => Idempotency {
  const contracts: readonly AnyContract[] = [
    ...system.services.flatMap((service) => service.contracts),
    ...system.externals.map((service) => service.contract),
  ]
  const kinds = new Map(
    contracts.flatMap((contract) =>
      Object.values<AnyOperation & { readonly name: string }>(contract.operations).map((operation) => [
        `${contract.id}/${operation.name}`,
        operation.idempotent as Idempotency,
      ]),
    ),
  )
  return (contract, operation) => kinds.get(`${contract}/${operation}`) ?? 'no'
}

/** Whether an operation may be asked again when nobody knows if it was processed: it is idempotent by itself. */
export function repeatable(system: System): (contract: string, operation: string) => boolean {
  const kind = idempotencyOf(system)
  return (contract, operation) => kind(contract, operation) === 'natural'
}

import type { AnyContract, ContractEvent } from '../contract/contract.ts'

/** A saga as its service sees it; what its steps are is the business of `saga/`. Made by `saga(...)`; plain data. */
export interface SagaDefinition {
  readonly kind: 'saga'
  /** Unique within the service and the same for ever. */
  readonly name: string
  /** Raised when steps change; an instance ends under the version under which it began. */
  readonly version: number
  readonly uses: Readonly<Record<string, AnyContract>>
  /** The event that starts an instance; `undefined`: only `start` does. */
  readonly on: ContractEvent | undefined
  /** The events that its instances wait for. */
  readonly waits: readonly ContractEvent[]
}

import type { CallContext } from '../call/call-context.ts'
import type { CompiledOperation } from '../contract/compiled.ts'
import type { AnyContract } from '../contract/contract.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { Seldom } from '../std/seldom.ts'
import type { ServiceDeps } from './deps.ts'
import type { AnyHandler } from './service.ts'

/** One operation of a running service: all that is the same for every call of it. */
export interface BoundOperation {
  readonly service: string
  readonly contract: AnyContract
  readonly operation: AnyOperation & { readonly name: string }
  /** `orders.place` */
  readonly label: string
  readonly compiled: CompiledOperation
  readonly handler: AnyHandler
  readonly fail: (code: string, first?: unknown, second?: string) => never
  readonly callsFor: (context: CallContext) => object
  /** The service uses contracts of others. */
  readonly callsOthers: boolean
  /** Answering a read again changes nothing: its effects need not be watched. */
  readonly reads: boolean
  /** Failures of others that are passed on: an outage is not a line per call. */
  readonly passedOn: Seldom
  readonly deps: ServiceDeps
}

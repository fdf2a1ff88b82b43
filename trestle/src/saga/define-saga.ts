import type { SagaDefinition } from '../call/saga-definition.ts'
import type { ContractEvent, EventOf } from '../contract/contract.ts'
import type { Tx } from '../store/store.ts'
import { checkBeginning, checkStep } from './check-saga.ts'
import type { Failure, Results, Saga, SagaUses } from './saga.ts'
import { cancelHere, startWithin } from './within.ts'

/** One step of a saga as the engine sees it. */
export type StepSpec =
  | {
      readonly kind: 'call'
      readonly name: string
      readonly pivot: boolean
      readonly timeoutMs: number
      readonly run: AnyWork
      readonly undo: AnyWork | undefined
    }
  | { readonly kind: 'wait'; readonly name: string; readonly event: ContractEvent; readonly timeoutMs: number }
  | { readonly kind: 'write'; readonly name: string; readonly run: AnyWork; readonly undo: AnyWork | undefined }

/** Work whose types have been forgotten. */
// oxlint-disable-next-line typescript/no-explicit-any -- the interface `Saga` says it exactly
export type AnyWork = (args: any) => Promise<unknown>

/** What the engine knows of a saga. */
export interface SagaSpec {
  readonly name: string
  readonly version: number
  readonly uses: SagaUses
  readonly on: ContractEvent
  readonly steps: readonly StepSpec[]
  readonly whenUndone: ((args: { readonly failure: Failure }) => Promise<unknown>) | undefined
  /** Definitions under which older instances go on. */
  readonly earlier: readonly SagaSpec[]
  /** By earlier version: where an instance of it stands in this one. */
  readonly migrate: Readonly<Record<number, (step: string) => string>>
}

const specs = new WeakMap<object, SagaSpec>()

/** What was defined. @throws TypeError for what `saga(...)` did not make */
export function specOf(made: object): SagaSpec {
  const spec = specs.get(made)
  if (spec === undefined) throw new TypeError('this is no saga: make it with saga(name, { on, uses })')
  return spec
}

/** How a saga begins. */
export interface SagaOptions<U extends SagaUses, E extends ContractEvent> {
  /** The event that starts an instance; its key is the saga's. */
  readonly on: E
  readonly uses: U
  /** Raised when steps change; default 1. An instance ends under the version under which it began. */
  readonly version?: number
  /** Earlier definitions of this saga, each of a version of its own, under which running instances go on. */
  readonly earlier?: readonly SagaDefinition[]
  /**
   * For earlier versions that are not kept: given the step at which an instance stands, the step of this version at which
   * it goes on.
   */
  readonly migrate?: Readonly<Record<number, (step: string) => string>>
}

/**
 * Begins a saga: steps over several services that are all done, or all taken back.
 * @param name unique within the service that owns it, and the same for ever
 * @example
 * export const checkout = saga('checkout', { on: orders.events.placed, uses: { inventory, payments } })
 *   .step('hold', { run: ({ event, call }) => call.inventory.hold({ orderId: event.id }), undo: ... })
 *   .pivot('capture', { run: ({ event, call }) => call.payments.capture({ orderId: event.id }) })
 *   .write('settle', ({ event, tx }) => setStatus(tx, event.id, 'confirmed'))
 */
export function saga<const U extends SagaUses, E extends ContractEvent>(
  name: string,
  { on, uses, version = 1, earlier = [], migrate = {} }: SagaOptions<U, E>,
): Saga<EventOf<E>, U> {
  const olds = earlier.map((each) => specOf(each))
  const spec = { name, version, uses, on, steps: [], whenUndone: undefined, earlier: olds, migrate }
  checkBeginning(spec)
  return define(spec) as unknown as Saga<EventOf<E>, U>
}

const defaultTimeoutMs = 60_000

function define(spec: SagaSpec): Saga<unknown, SagaUses, Results> {
  const withStep = (step: StepSpec) => {
    checkStep(spec, step)
    return define({ ...spec, steps: [...spec.steps, step] })
  }
  const made = {
    kind: 'saga',
    name: spec.name,
    version: spec.version,
    uses: Object.assign({}, ...spec.earlier.map(({ uses }) => uses), spec.uses) as SagaUses,
    on: spec.on,
    waits: [...new Set([spec, ...spec.earlier].flatMap(waitsOf))],
    step: (name: string, { run, undo, timeoutMs = defaultTimeoutMs }: CallOptions) =>
      withStep({ kind: 'call', name, pivot: false, timeoutMs, run, undo }),
    pivot: (name: string, { run }: CallOptions) =>
      withStep({ kind: 'call', name, pivot: true, timeoutMs: Number.POSITIVE_INFINITY, run, undo: undefined }),
    waitFor: (name: string, event: ContractEvent, { timeoutMs }: { timeoutMs: number }) =>
      withStep({ kind: 'wait', name, event, timeoutMs }),
    write: (name: string, run: AnyWork, options: { undo?: AnyWork } = {}) =>
      withStep({ kind: 'write', name, run, undo: options.undo }),
    whenUndone: (whenUndone: SagaSpec['whenUndone']) => define({ ...spec, whenUndone }),
    start: (tx: Tx<unknown>, event: unknown) => startWithin(tx, spec, event),
    cancel: (tx: Tx<unknown>, key: string, reason: string) => cancelHere(tx, spec, key, reason),
  }
  specs.set(made, spec)
  return made as unknown as Saga<unknown, SagaUses, Results>
}

interface CallOptions {
  readonly run: AnyWork
  readonly undo?: AnyWork
  readonly timeoutMs?: number
}

/** The events that instances of one definition wait for. */
export function waitsOf(spec: SagaSpec): readonly ContractEvent[] {
  return spec.steps.flatMap((step) => (step.kind === 'wait' ? [step.event] : []))
}

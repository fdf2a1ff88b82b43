import type { ContractEvent, EventOf } from '../contract/contract.ts'
import type { Failure, Results, Saga, SagaUses } from './saga.ts'

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
  /** Raised when steps change; default 1. */
  readonly version?: number
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
  { on, uses, version = 1 }: SagaOptions<U, E>,
): Saga<EventOf<E>, U> {
  return define({ name, version, uses, on, steps: [], whenUndone: undefined }) as unknown as Saga<EventOf<E>, U>
}

function define(spec: SagaSpec): Saga<unknown, SagaUses, Results> {
  const withStep = (step: StepSpec) => define({ ...spec, steps: [...spec.steps, step] })
  const made = {
    kind: 'saga',
    name: spec.name,
    version: spec.version,
    uses: spec.uses,
    on: spec.on,
    waits: spec.steps.flatMap((step) => (step.kind === 'wait' ? [step.event] : [])),
    step: (name: string, { run, undo, timeoutMs = 60_000 }: { run: AnyWork; undo?: AnyWork; timeoutMs?: number }) =>
      withStep({ kind: 'call', name, pivot: false, timeoutMs, run, undo }),
    pivot: (name: string, { run }: { run: AnyWork }) =>
      withStep({ kind: 'call', name, pivot: true, timeoutMs: Number.POSITIVE_INFINITY, run, undo: undefined }),
    waitFor: (name: string, event: ContractEvent, { timeoutMs }: { timeoutMs: number }) =>
      withStep({ kind: 'wait', name, event, timeoutMs }),
    write: (name: string, run: AnyWork, options: { undo?: AnyWork } = {}) =>
      withStep({ kind: 'write', name, run, undo: options.undo }),
    whenUndone: (whenUndone: SagaSpec['whenUndone']) => define({ ...spec, whenUndone }),
  }
  specs.set(made, spec)
  return made as unknown as Saga<unknown, SagaUses, Results>
}

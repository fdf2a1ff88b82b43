import type { CallContext } from '../call/call-context.ts'
import type { Handle } from '../call/call.ts'
import { createClient } from '../call/create-client.ts'
import { onceWork, type OnceWork } from '../call/once-work.ts'
import type { AnyContract } from '../contract/contract.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { Clock } from '../std/clock.ts'
import { childSpan } from '../std/trace-context.ts'
import type { SagaSpec } from './define-saga.ts'
import type { Instance } from './instance.ts'
import { fail } from './saga-failure.ts'

/**
 * What the once-only work of the current step is derived from. A step has a key, its undoing has one of its own, and each
 * round after a certain failure another, which descends from the step's: so that its undoing calls off all rounds.
 */
export function workOf({ id, place }: Pick<Instance, 'id' | 'place'>): OnceWork {
  const { step, undoing, round, beganAt: beganAtMs } = place
  const key = `${id}:${step ?? '$end'}${undoing ? ':undo' : ''}`
  const cancels = undoing && step !== undefined ? `${id}:${step}` : undefined
  if (round === 0) return onceWork({ key, beganAtMs, cancels })
  const within = onceWork({ key, beganAtMs }).scope.keyFor('round')
  return onceWork({ key: `${key}:${round}`, beganAtMs, within, cancels })
}

/** How the steps of a saga call others. */
export type Callers = (context: CallContext) => object

/** Clients of everything that a saga uses; operations that may not be asked again are not there to be called. */
export function callersOf(spec: SagaSpec, from: { service: string; send: Handle; clock: Clock }): Callers {
  const clients = Object.entries<AnyContract>(spec.uses).map(([name, contract]) => {
    const refused = Object.entries<AnyOperation>(contract.operations).filter(
      ([, { idempotent }]) => idempotent === 'no',
    )
    const clientOf = createClient(contract, { from: from.service, send: from.send, clock: from.clock })
    return [name, contract, clientOf, refused.map(([operation]) => operation)] as const
  })
  return (context) => {
    const calls: Record<string, unknown> = {}
    for (const [name, contract, clientOf, refused] of clients) {
      const client: object = clientOf(context)
      calls[name] = refused.length === 0 ? client : refusing(client, spec, contract, refused)
    }
    return calls
  }
}

function refusing(client: object, spec: SagaSpec, contract: AnyContract, refused: readonly string[]): object {
  return Object.defineProperties(
    client,
    Object.fromEntries(
      refused.map((operation) => [operation, { get: () => notIdempotent(spec, `${contract.name}.${operation}`) }]),
    ),
  )
}

function notIdempotent(spec: SagaSpec, label: string): never {
  throw new TypeError(
    `saga ${spec.name} may not call ${label}: a step may be repeated, so declare the operation idempotent ('natural' or 'key')`,
  )
}

/** What one try of a calling step gets, and how many calls it has made. */
export function stepArgs(
  instance: Instance,
  callers: Callers,
  service: string,
  signal: AbortSignal,
): { readonly args: object; readonly calls: () => number } {
  const work = workOf(instance)
  let calls = 0
  const once = {
    ...work.scope,
    keyFor(operation: string) {
      calls += 1
      return work.scope.keyFor(operation)
    },
  }
  const { key } = work.scope
  const caller = { kind: 'service', id: service, scopes: [] } as const
  const call = callers({ caller, trace: childSpan(instance.trace), signal, once })
  const { newId, now } = work
  const common = { event: instance.event, call, key, newId, now, signal }
  return {
    args: instance.place.undoing ? common : { ...common, results: instance.results, fail },
    calls: () => calls,
  }
}

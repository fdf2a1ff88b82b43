import type { Handle } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import { createClient } from '../call/create-client.ts'
import type { Operator } from '../call/operator.ts'
import type { AnyContract } from '../contract/contract.ts'
import { implement } from '../service/index.ts'
import type { AnyHandler, ServiceDefinition } from '../service/service.ts'
import { systemClock } from '../std/clock.ts'
import type { TraceContext } from '../std/trace-context.ts'

const asOperator: Caller = { kind: 'operator', id: 'operator', scopes: ['operator'] }

/** To whom an admin contract is passed on. */
export interface PassOn {
  readonly operator: Pick<Operator, 'call'>
  /** The contract whose operation of the same name is asked for an input, and with what. */
  readonly route: (input: object) => { readonly contract: AnyContract; readonly input: object }
  /** What is said where nobody serves that contract. */
  readonly missing: (contract: string) => { readonly code: string; readonly detail: string }
}

/** A service that passes on what operators ask it to the service that does it. */
export function passOn(contract: AnyContract, { operator, route, missing }: PassOn): ServiceDefinition {
  const send: Handle = async ({ contract: id, operation, input }) => {
    const reply = await operator.call({ contract: id, operation, input: input.kind === 'value' ? input.value : {} })
    if (reply.ok || reply.problem.declared || reply.problem.code !== 'not_found') return reply
    return { ok: false, problem: { ...reply.problem, ...missing(id), declared: true } }
  }
  const handlerOf =
    (name: string): AnyHandler =>
    ({ input, trace }: { readonly input: object; readonly trace: TraceContext }) => {
      const to = route(input)
      const clientFor = createClient(to.contract, { from: 'operator', send, clock: systemClock })
      // Both contracts are made of one description: what one lets through fits the other.
      const client = clientFor({ caller: asOperator, trace }) as unknown as Record<string, (input: object) => unknown>
      return client[name]?.(to.input)
    }
  const handlers = Object.fromEntries(Object.keys(contract.operations).map((name) => [name, handlerOf(name)]))
  return implement(contract).service({ handlers: handlers as never })
}

import type { Call, Handle, Reply } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import { createClient } from '../call/create-client.ts'
import type { Operator } from '../call/operator.ts'
import { implement } from '../service/index.ts'
import { operatedBy } from '../service/operator/contract.ts'
import type { AnyHandler, ServiceDefinition } from '../service/service.ts'
import { systemClock } from '../std/clock.ts'
import type { TraceContext } from '../std/trace-context.ts'
import { adminOperatedContract } from './operated-contract.ts'

type Name = keyof typeof adminOperatedContract.operations

const names = Object.keys(adminOperatedContract.operations) as Name[]
const asOperator: Caller = { kind: 'operator', id: 'operator', scopes: ['operator'] }

/** What operators do with the events, sagas and jobs of a service, passed on to that service. */
export function adminOperatedService(operator: Pick<Operator, 'call'>): ServiceDefinition {
  const send: Handle = (call) => operator.call(requestOf(call)).then((reply) => unknownWhenNotFound(call, reply))
  const handlerOf =
    (name: Name): AnyHandler =>
    ({ input, trace }: { readonly input: { readonly service: string }; readonly trace: TraceContext }) => {
      const { service, ...rest } = input
      const clientFor = createClient(operatedBy(service), { from: 'operator', send, clock: systemClock })
      // Both contracts are made of one description: what one lets through fits the other.
      return (clientFor({ caller: asOperator, trace })[name] as (input: unknown) => Promise<unknown>)(rest)
    }
  const handlers = Object.fromEntries(names.map((name) => [name, handlerOf(name)]))
  return implement(adminOperatedContract).service({ handlers: handlers as never })
}

function requestOf({ contract, operation, input }: Call): Parameters<Operator['call']>[0] {
  return { contract, operation, input: input.kind === 'value' ? input.value : {} }
}

/** Nobody serves the platform's contract of that service. */
function unknownWhenNotFound({ contract }: Call, reply: Reply): Reply {
  if (reply.ok || reply.problem.declared || reply.problem.code !== 'not_found') return reply
  const detail = `${contract.slice(0, contract.indexOf('.'))} is no service of this system, or has no store`
  return { ok: false, problem: { ...reply.problem, code: 'unknown_service', declared: true, detail } }
}

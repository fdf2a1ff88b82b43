import type { Call, Reply } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import { createClient } from '../call/create-client.ts'
import type { Operator } from '../call/operator.ts'
import { access } from '../gateway/access/contract.ts'
import { implement } from '../service/index.ts'
import type { AnyHandler, ServiceDefinition } from '../service/service.ts'
import { systemClock } from '../std/clock.ts'
import type { TraceContext } from '../std/trace-context.ts'
import { adminAccessContract } from './access-contract.ts'

type Name = keyof typeof adminAccessContract.operations

const names = Object.keys(adminAccessContract.operations) as Name[]
const asOperator: Caller = { kind: 'operator', id: 'operator', scopes: ['operator'] }

/** What operators do with keys, plans and usage, passed on to the service that has them. */
export function adminAccessService(operator: Pick<Operator, 'call'>): ServiceDefinition {
  const clientFor = createClient(access, {
    from: 'operator',
    send: (call) => operator.call(requestOf(call)).then(unusedWhenUnknown),
    clock: systemClock,
  })
  const handlerOf =
    (name: Name): AnyHandler =>
    ({ input, trace }: { readonly input: unknown; readonly trace: TraceContext }) =>
      // Both contracts are made of one description: what one lets through fits the other.
      (clientFor({ caller: asOperator, trace })[name] as (input: unknown) => Promise<unknown>)(input)
  const handlers = Object.fromEntries(names.map((name) => [name, handlerOf(name)]))
  return implement(adminAccessContract).service({ handlers: handlers as never })
}

function requestOf({ contract, operation, input }: Call): Parameters<Operator['call']>[0] {
  return { contract, operation, input: input.kind === 'value' ? input.value : {} }
}

/** No such contract in the system: its gateway needs none. */
function unusedWhenUnknown(reply: Reply): Reply {
  if (reply.ok || reply.problem.declared || reply.problem.code !== 'not_found') return reply
  const detail = 'Give the gateway authenticate: [apiKeys()] or plans: {...}'
  return { ok: false, problem: { ...reply.problem, code: 'keys_unused', declared: true, detail } }
}

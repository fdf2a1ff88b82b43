import type { Call, Handle, Reply } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import type { OperatorCall } from '../call/operator.ts'
import { platformProblem } from '../call/problem.ts'
import type { AnyContract } from '../contract/contract.ts'
import { isJson } from '../contract/media-type.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { Clock } from '../std/clock.ts'
import { newTrace } from '../std/trace-context.ts'
import { operatorName } from './placement.ts'
import type { System } from './system.ts'

/**
 * Makes the call of an operator: any operation of any contract, exposed or not. The reply is in wire form, the same
 * wherever the operation runs: JSON as a value, anything else as bytes.
 */
export async function operatorCall(
  request: OperatorCall,
  deps: { readonly system: System; readonly send: Handle; readonly clock: Clock },
): Promise<Reply> {
  const contract = findContract(deps.system, request.contract)
  const operation = contract?.operations[request.operation] as AnyOperation | undefined
  const timeoutMs = operation?.timeoutMs ?? 10_000
  const call: Call = {
    // A deployed service may implement a contract that this process has not read: then the id is taken as it is.
    contract: contract?.id ?? request.contract,
    operation: request.operation,
    input: { kind: 'value', value: request.input },
    want: 'bytes',
    deadlineMs: deps.clock.monotonic() + timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
    caller: callerOf(request, operation),
    from: operatorName,
    trace: newTrace(),
    key: request.key,
  }
  if (contract !== undefined && operation === undefined) {
    const known = Object.keys(contract.operations).join(', ')
    const detail = `${contract.id} has no operation ${request.operation}; it has ${known}`
    return { ok: false, problem: platformProblem('not_found', { detail }) }
  }
  return jsonRead(await deps.send(call))
}

function jsonRead(reply: Reply): Reply {
  if (!reply.ok || reply.body.kind !== 'bytes' || !isJson(reply.body.contentType)) return reply
  return { ...reply, body: { kind: 'value', value: JSON.parse(Buffer.from(reply.body.bytes).toString()) as unknown } }
}

function callerOf(request: OperatorCall, operation: AnyOperation | undefined): Caller {
  const scopes = operation?.access?.kind === 'scopes' ? operation.access.scopes : []
  return request.as === undefined
    ? { kind: 'operator', id: 'operator', scopes }
    : { kind: 'user', id: request.as.id, scopes }
}

/** By id, or by name: then the highest major version. */
function findContract(system: System, name: string): AnyContract | undefined {
  const all = [
    ...system.services.flatMap((service) => service.contracts),
    ...system.externals.map((service) => service.contract),
  ]
  const named = all.filter((contract) => contract.name === name).toSorted((a, b) => major(b) - major(a))
  return all.find((contract) => contract.id === name) ?? named[0]
}

function major(contract: AnyContract): number {
  return Number.parseInt(contract.version, 10)
}

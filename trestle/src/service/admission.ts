import { verdictOn } from '../call/access-verdict.ts'
import type { Call, Interceptor, Reply } from '../call/call.ts'
import { platformProblem } from '../call/problem.ts'
import type { Access } from '../contract/access.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { BoundOperation } from './bound-operation.ts'
import { place } from './problem-of-error.ts'

/** Longest idempotency key, characters. */
const keyMaxLength = 255

/** What stands before a handler, outermost first. A stage that has nothing to do for this operation is left out. */
export function admission(bound: BoundOperation): Interceptor[] {
  const { access, deprecated, idempotent } = bound.operation
  const stages: Interceptor[] = []
  if (deprecated?.sunset !== undefined) stages.push(sunset(bound, Date.parse(deprecated.sunset)))
  stages.push(origin(bound))
  if (access !== undefined && access.kind !== 'anyone') stages.push(permission(bound, access))
  if (idempotent === 'key') stages.push(keyed(bound))
  return stages
}

/**
 * Refuses whoever did not declare that it calls this contract. On behalf of a client the gateway may call what has a
 * route and an access; in its own name, for its authenticators, also what only services may call.
 */
function origin(bound: BoundOperation): Interceptor {
  const { contract, operation, deps } = bound
  const exposed = operation.rest !== undefined && operation.access !== undefined
  return (call, next) => {
    if (call.from === 'gateway') {
      const inItsOwnName = call.caller.kind === 'service' && call.caller.id === 'gateway'
      return exposed || inItsOwnName ? next(call) : refused(bound, call, 'not_found', `${bound.label} is not exposed`)
    }
    if (call.from === 'operator' || deps.mayCall(call.from, contract.id)) return next(call)
    return refused(bound, call, 'undeclared_use', `${call.from} does not declare that it uses ${contract.id}`)
  }
}

/** What the gateway has checked is checked again: the callee trusts nobody's word. */
function permission(bound: BoundOperation, access: Access): Interceptor {
  return (call, next) => {
    const verdict = verdictOn(access, call.caller)
    return verdict === 'allowed' ? next(call) : refused(bound, call, verdict)
  }
}

function keyed(bound: BoundOperation): Interceptor {
  return (call, next) => {
    const { key } = call
    if (key !== undefined && key.length > 0 && key.length <= keyMaxLength) return next(call)
    const detail =
      key === undefined || key === ''
        ? 'This operation needs the header Idempotency-Key'
        : `Idempotency-Key has more than ${keyMaxLength} characters`
    return refused(bound, call, 'invalid_input', detail)
  }
}

function sunset(bound: BoundOperation, atMs: number): Interceptor {
  const use = bound.operation.deprecated?.use
  return (call, next) => {
    if (bound.deps.clock.now() < atMs) return next(call)
    return refused(bound, call, 'gone', use === undefined ? undefined : `Use ${use} instead`)
  }
}

function refused(bound: BoundOperation, call: Call, code: PlatformCode, detail?: string): Promise<Reply> {
  const extra = detail === undefined ? place(bound, call) : { ...place(bound, call), detail }
  return Promise.resolve({ ok: false, problem: platformProblem(code, extra) })
}

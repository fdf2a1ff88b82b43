import { type Call, chain, type Handle, type Interceptor, type Reply } from '../call/call.ts'
import { platformProblem } from '../call/problem.ts'
import { compileOperation } from '../contract/compile-operation.ts'
import type { AnyContract } from '../contract/contract.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import { ConcurrencyLimiter } from '../std/concurrency-limiter.ts'
import { Seldom } from '../std/seldom.ts'
import { admission } from './admission.ts'
import type { BoundOperation } from './bound-operation.ts'
import { createCalls } from './calls.ts'
import { failFor } from './declared-failure.ts'
import type { ServiceDeps } from './deps.ts'
import { execution } from './execution.ts'
import { place } from './problem-of-error.ts'
import { RunningCalls } from './running-calls.ts'
import type { AnyHandler, ServiceDefinition } from './service.ts'

/** A service that runs in this process. */
export interface ServiceHandle {
  /** Answers calls to its contracts. Never rejects. */
  readonly handle: Handle
  /** Refuses new calls as `unavailable`, and waits for the running ones; after `timeoutMs` they are answered `outcome_unknown`. */
  drain(timeoutMs: number): Promise<void>
  /** Calls taken whose handler has not ended. */
  inFlight(): number
  /** Calls that wait for a place. */
  waiting(): number
}

/**
 * Brings a service to life: composes, once, for each operation the chain that its calls pass through: sunset, origin
 * (`uses`), access, idempotency key, then limit, input, handler, output.
 * @throws TypeError when the service has a store and none is given
 */
export function createServiceHandle(definition: ServiceDefinition, deps: ServiceDeps): ServiceHandle {
  if (definition.store !== undefined && deps.store === undefined) {
    throw new TypeError(`${definition.name} has a store and was given none`)
  }
  const limiter = new ConcurrencyLimiter({ insideMax: definition.concurrencyMax, waitingMax: definition.waitingMax })
  const running = new RunningCalls()
  const handles = handlesOf(definition, deps, limiter, running)
  let draining = false
  return {
    handle(call) {
      if (draining) return refuse(call, 'unavailable')
      const handle = handles.get(call.contract)?.get(call.operation)
      if (handle === undefined) return refuse(call, 'not_implemented')
      // Within a process it is the very object of the caller's own request.
      Object.freeze(call.caller)
      Object.freeze(call.caller.scopes)
      return handle(call)
    },
    drain(timeoutMs) {
      draining = true
      return running.finish(deps.clock, timeoutMs)
    },
    inFlight: () => running.size,
    waiting: () => limiter.waiting,
  }
}

function handlesOf(
  definition: ServiceDefinition,
  deps: ServiceDeps,
  limiter: ConcurrencyLimiter,
  running: RunningCalls,
): ReadonlyMap<string, ReadonlyMap<string, Handle>> {
  const clientDeps = { from: definition.name, send: deps.send, clock: deps.clock }
  const callsFor = createCalls(definition.uses, clientDeps)
  const handleFor = (contract: AnyContract, name: string, handler: AnyHandler): Handle => {
    const operation = contract.operations[name] as BoundOperation['operation']
    const bound: BoundOperation = {
      service: definition.name,
      contract,
      operation,
      label: `${contract.name}.${name}`,
      compiled: compileOperation(operation),
      handler,
      fail: failFor(operation),
      callsFor,
      callsOthers: Object.keys(definition.uses).length > 0,
      reads: operation.rest?.method === 'GET' || operation.rest?.method === 'HEAD',
      passedOn: new Seldom(deps.clock),
      deps,
    }
    const stages = deps.observe === undefined ? admission(bound) : [observed(bound, deps.observe), ...admission(bound)]
    return guarded(bound, chain(stages, execution(bound, limiter, running)))
  }
  return new Map(
    definition.contracts.map((contract) => {
      const handlers = [...(definition.handlers.get(contract.id) ?? [])]
      return [contract.id, new Map(handlers.map(([name, handler]) => [name, handleFor(contract, name, handler)]))]
    }),
  )
}

function observed(bound: BoundOperation, observe: NonNullable<ServiceDeps['observe']>): Interceptor {
  const { service, contract, operation, deps } = bound
  const labels = { service, contract: contract.id, operation: operation.name }
  return (call, next) => {
    const startMs = deps.clock.monotonic()
    return next(call).then((reply) => {
      const code = reply.ok ? 'ok' : reply.problem.code
      observe({ ...labels, code, durationMs: deps.clock.monotonic() - startMs })
      return reply
    })
  }
}

/** A fault of ours, such as a schema that cannot be compiled, is a reply too. */
function guarded(bound: BoundOperation, handle: Handle): Handle {
  return (call) => {
    try {
      return handle(call)
    } catch (error) {
      const fields = { operation: bound.label, code: 'internal', traceId: call.trace.traceId, err: error }
      bound.deps.log.error(fields, `${bound.label} cannot be served`)
      return Promise.resolve({ ok: false, problem: platformProblem('internal', place(bound, call)) })
    }
  }
}

function refuse(call: Call, code: PlatformCode): Promise<Reply> {
  const extra = { instance: `${call.contract}.${call.operation}`, traceId: call.trace.traceId }
  const wait = code === 'unavailable' ? { retryAfterMs: 1_000 } : {}
  return Promise.resolve({ ok: false, problem: platformProblem(code, { ...extra, ...wait }) })
}

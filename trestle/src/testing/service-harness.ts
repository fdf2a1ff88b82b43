import type { CallContext } from '../call/call-context.ts'
import type { Handle } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import type { Client } from '../call/client.ts'
import { createClient } from '../call/create-client.ts'
import { platformProblem } from '../call/problem.ts'
import type { AnyContract } from '../contract/contract.ts'
import { createServiceHandle, type ServiceHandle } from '../service/create-service-handle.ts'
import type { Observation } from '../service/deps.ts'
import type { Log, ServiceDefinition } from '../service/service.ts'
import { newTrace } from '../std/trace-context.ts'
import type { WatchableStore } from '../store/store.ts'
import { localTransport } from '../transport/local/local-transport.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

/** Which services stand in the harness, over which stores. */
export interface ServiceHarnessOptions {
  /** The service under test, and services that stand in for those it uses. */
  readonly services: readonly ServiceDefinition[]
  /** Stores by service name; a service that declares a store needs one. */
  readonly stores?: Readonly<Record<string, WatchableStore<never>>>
  /** Answers calls to contracts that no service here implements; by default they are `unavailable`. */
  readonly answer?: Handle
  /** Default: a virtual clock that stands still. */
  readonly clock?: VirtualClock
}

/** What a test asks as; by default as an operator, who may ask everything. */
export interface Asker extends Partial<CallContext> {
  /** `gateway`, `operator`, or the name of a service whose `uses` then count. Default `operator`. */
  readonly from?: string
}

/** One logged line, for a test to look at. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Services in one process with a clock of their own, without gateway and sockets. */
export interface ServiceHarness {
  readonly clock: VirtualClock
  /** A client, the same as a handler's. */
  client<C extends AnyContract>(contract: C, asker?: Asker): Client<C>
  /** The way in, below the typed client. */
  readonly send: Handle
  service(name: string): ServiceHandle
  /** What was logged, in order. */
  readonly logs: readonly LogLine[]
  /** What was measured, in order. */
  readonly observations: readonly Observation[]
}

const operator: Caller = { kind: 'operator', id: 'test', scopes: [] }

/**
 * Runs services in this process without a system around them: no gateway, no processes, a clock in the test's hand.
 * @example
 * const harness = serviceHarness({ services: [orders, standInForStock] })
 * const order = await harness.client(ordersContract, { caller: alice }).find({ id })
 */
export function serviceHarness(options: ServiceHarnessOptions): ServiceHarness {
  const clock = options.clock ?? virtualClock()
  const logs: LogLine[] = []
  const observations: Observation[] = []
  const handles = new Map<string, ServiceHandle>()
  const routes = new Map<string, Handle>()
  let ids = 0

  const answer: Handle = options.answer ?? (async () => ({ ok: false, problem: platformProblem('unavailable') }))
  const send: Handle = (call) => (routes.get(call.contract) ?? answer)(call)
  const mayCall = (from: string, contract: string) => {
    const caller = options.services.find((service) => service.name === from)
    return Object.values(caller?.uses ?? {}).some((used) => used.id === contract)
  }
  for (const definition of options.services) {
    const store = options.stores?.[definition.name]
    const handle = createServiceHandle(definition, {
      ...(store === undefined ? {} : { store: store as unknown as WatchableStore<unknown> }),
      send,
      mayCall,
      clock,
      newId: () => `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
      random: () => 0.5,
      log: logInto(logs),
      observe: (observation) => observations.push(observation),
    })
    handles.set(definition.name, handle)
    const transport = localTransport(handle.handle)
    for (const { id } of definition.contracts) routes.set(id, (call) => transport.send(call))
  }
  return {
    clock,
    send,
    logs,
    observations,
    client(contract, { from = 'operator', ...context } = {}) {
      return createClient(contract, { from, send, clock })({ caller: operator, trace: newTrace(), ...context })
    },
    service(name) {
      const handle = handles.get(name)
      if (handle === undefined) throw new Error(`no service ${name} in this harness`)
      return handle
    },
  }
}

function logInto(lines: LogLine[]): Log {
  const at = (level: LogLine['level']) => (fields: LogLine['fields'], message: string) => {
    lines.push({ level, fields, message })
  }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

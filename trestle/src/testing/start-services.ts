import type { Handle, Interceptor } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import type { Client } from '../call/client.ts'
import { createClient } from '../call/create-client.ts'
import type { AnyContract } from '../contract/contract.ts'
import type { OnceScope } from '../call/once-scope.ts'
import { createCalls } from '../service/calls.ts'
import { JobStore } from '../service/jobs/job-store.ts'
import { runJob } from '../service/jobs/start-jobs.ts'
import { createServiceHandle } from '../service/create-service-handle.ts'
import type { Log, ServiceDefinition } from '../service/service.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import { uuidv7 } from '../std/ids.ts'
import { newTrace } from '../std/trace-context.ts'
import { type OpenStore, openStore, type StoreProvider } from '../store/index.ts'
import { localBus } from '../bus/local/index.ts'
import { startEvents } from '../system/host/start-events.ts'
import { startServiceSagas } from '../system/host/start-sagas.ts'
import { usedBy } from '../system/host/used-by.ts'
import { type SettlingService, settleEvents } from './settle-events.ts'
import { localTransport } from '../transport/local/local-transport.ts'
import { testStores } from './postgres/shared-postgres.ts'

/** Services that run in the process of a test. */
export interface StartedServices extends AsyncDisposable {
  /** A client, the same as a handler's. Default caller: an operator, who may ask everything. */
  client<C extends AnyContract>(contract: C, caller?: Caller): Client<C>
  /** The way in, below the typed client: what a gateway is made with. */
  readonly send: Handle
  /** The database of a service. */
  store<Tables>(service: string): OpenStore<Tables>
  /** Runs a job once, now. Jobs do not run by themselves. */
  runJob(service: string, job: string): Promise<void>
  /**
   * Resolves when everything that has been published is handled, also what handlers published, and sagas have come to
   * their ends or to something that they wait for; parked keys do not count.
   * @throws Error that names what is open after 30 s
   */
  settled(): Promise<void>
  /** Moves the wall clock forward, and with it what sagas wait for. Timers keep real time. */
  pass(ms: number): void
}

/** What `startServices` starts, and what its tests hold still. */
export interface StartServicesOptions {
  /** Advice around every call, the test's own too: looks at it, delays it, answers in its place, or rejects as a crash. */
  readonly intercept?: Interceptor
}

const operator: Caller = { kind: 'operator', id: 'operator', scopes: [] }
const silent: Log = { info() {}, warn() {}, error() {} }

/**
 * Runs services in this process over fresh databases, without gateway and processes: migrated, started, their jobs and
 * the wall clock in the test's hand. For what needs no database, `serviceHarness` has a clock that stands still.
 * @example
 * await using services = await startServices([ordersService, stockService])
 * services.pass(30 * 60_000)
 * await services.runJob('orders', 'expire-orders')
 */
export async function startServices(
  definitions: readonly ServiceDefinition[],
  { intercept = (call, next) => next(call) }: StartServicesOptions = {},
): Promise<StartedServices> {
  await using opened = new AsyncDisposableStack()
  const provider = opened.adopt(await testStores(), (each) => each.close())
  const clock = movableClock()
  const newId = () => uuidv7(clock.now())
  const handles = new Map<string, Handle>()
  const stores = new Map<string, OpenStore<unknown>>()
  const send: Handle = async (call) =>
    intercept(call, (passed) => {
      const handle = handles.get(passed.contract)
      if (handle === undefined) throw new Error(`${passed.contract} was not started for this test`)
      return handle(passed)
    })
  const usesOf = new Map(definitions.map((each) => [each.name, new Set(usedBy(each))]))
  const argsFor = (definition: ServiceDefinition) => ({
    // A service without a store has no use for it.
    store: stores.get(definition.name) as OpenStore<unknown>,
    progress() {},
    signal: never,
    log: silent,
    now: () => clock.now(),
    newId,
  })
  for (const definition of definitions) {
    const store = await openedStore(definition, provider, opened)
    if (store !== undefined) stores.set(definition.name, store)
    await definition.hooks.start?.(argsFor(definition))
    const { handle } = createServiceHandle(definition, {
      ...(store === undefined ? {} : { store }),
      send,
      mayCall: (from, contract) => usesOf.get(from)?.has(contract) === true,
      clock,
      newId,
      random: Math.random,
      log: silent,
    })
    const transport = localTransport(handle)
    for (const { id } of definition.contracts) handles.set(id, (call) => transport.send(call))
  }
  const bus = localBus({
    send,
    open: (contracts, handle) => contracts.forEach((id) => handles.set(id, handle)),
    shut: (contracts) => contracts.forEach((id) => handles.delete(id)),
    mayRead: () => true,
    clock,
    random: Math.random,
    log: silent,
  })
  opened.defer(() => bus.close())
  const settling: SettlingService[] = []
  const owners = new Map<string, OpenStore<unknown>>()
  for (const definition of definitions) {
    const store = stores.get(definition.name)
    if (store === undefined) continue
    const common = { service: definition.name, process: 'test', bus, store, clock, random: Math.random, log: silent }
    const callsFor = createCalls(definition.uses, { from: definition.name, send, clock })
    const limits = { retryBaseMs: 10, retryMaxMs: 500 }
    const sagas = await startServiceSagas(definition, { ...common, send, newId, limits })
    opened.defer(() => sagas?.close())
    const more = sagas?.subscriptions ?? []
    const events = await startEvents(definition, { ...common, more, callsFor, limits })
    opened.defer(() => events.close())
    settling.push({ name: definition.name, store, subscriptions: events.subscriptions, sagas })
    for (const { id } of definition.contracts) owners.set(id, store)
  }
  const all = opened.move()
  return {
    client: (contract, caller = operator) =>
      createClient(contract, { from: 'operator', send, clock })({ caller, trace: newTrace() }),
    send,
    store: <Tables>(service: string) => {
      const store = stores.get(service)
      if (store === undefined) throw new Error(`no service ${service} with a store was started`)
      return store as OpenStore<Tables>
    },
    async runJob(service, name) {
      const definition = definitions.find((each) => each.name === service)
      const job = definition?.hooks.jobs?.find((each) => each.name === name)
      if (definition === undefined || job === undefined) throw new Error(`${service} has no job ${name}`)
      const self: Caller = { kind: 'service', id: service, scopes: [] }
      const calls = createCalls(definition.uses, { from: service, send, clock })
      const tick = clock.now()
      const callsFor = (signal: AbortSignal, once: OnceScope) =>
        calls({ caller: self, trace: newTrace(), signal, once })
      // A tick of its own, also when another one is of the same millisecond.
      const run = { tick, key: `job:${name}:${tick}:${newId()}`, signal: never }
      const deps = () => ({ args: { ...argsFor(definition), ...jobStore(stores.get(service)) }, callsFor })
      while ((await runJob(job, run, deps())) === 'again') run.key += ':again'
    },
    settled: () => settleEvents(settling, owners),
    pass(ms) {
      clock.pass(ms)
      for (const { sagas } of settling) sagas?.wake()
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** A run's own view of the store: one transaction, as in a running system. */
function jobStore(store: OpenStore<unknown> | undefined) {
  return store === undefined
    ? {}
    : { store: new JobStore(store, { note: async () => true, noted: async () => false }) as never }
}

const never = new AbortController().signal

async function openedStore(definition: ServiceDefinition, provider: StoreProvider, opened: AsyncDisposableStack) {
  if (definition.store === undefined) return undefined
  const store = openStore(definition.store, await provider.connectionFor(definition.name), {
    publishes: new Set(definition.contracts.map(({ id }) => id)),
  })
  opened.defer(() => store.close())
  await store.migrate()
  return store
}

function movableClock(): Clock & { readonly pass: (ms: number) => void } {
  let ahead = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    pass: (ms) => {
      ahead += ms
    },
  }
}

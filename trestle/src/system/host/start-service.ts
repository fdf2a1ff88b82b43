import { hostname } from 'node:os'
import type { Handle } from '../../call/call.ts'
import type { OnceScope } from '../../call/once-scope.ts'
import type { Clock } from '../../std/clock.ts'
import type { Log } from '../../service/service.ts'
import { createCalls, createServiceHandle, type Observation, type ServiceHandle } from '../../service/index.ts'
import { uuidv7 } from '../../std/ids.ts'
import { newTrace } from '../../std/trace-context.ts'
import type { OpenStore, StoreConnection } from '../../store/store.ts'
import { startJobs } from '../../service/jobs/start-jobs.ts'
import { startForgetting } from '../../service/once/forget.ts'
import type { Metrics } from '../../telemetry/index.ts'
import type { Bus } from '../../store/outbox/bus.ts'
import type { EventFeed } from '../../store/outbox/event-feed.ts'
import type { OperatedDeps } from '../../service/operator/operated-service.ts'
import { operatedHandle } from './operated.ts'
import type { SubscriptionObservation } from '../../service/subscriptions/deps.ts'
import { type RunningEvents, startEvents } from './start-events.ts'
import { type RunningSagas, startServiceSagas } from './start-sagas.ts'
import { type LoadedService, serviceFailed } from './load-services.ts'
import { whenReachable } from './when-reachable.ts'
import type { OutboxState } from './outbox-metrics.ts'

export interface ServiceDeps {
  readonly send: Handle
  readonly mayCall: (from: string, contract: string) => boolean
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly observe: (observation: Observation) => void
  readonly metrics: Metrics
  readonly observeEvents: (observation: SubscriptionObservation) => void
  readonly watchOutbox: (service: string, read: OutboxState) => () => void
  readonly bus: Bus
  /** How the service reads the events of a contract. */
  readonly feedFor: (stream: string, service: string) => Pick<EventFeed, 'read'>
  /** Names this process among those that run the service. */
  readonly process: string
  readonly connection: StoreConnection | undefined
  readonly progress: (service: string, message: string) => void
  readonly signal: AbortSignal
}

export interface RunningService {
  readonly handle: ServiceHandle
  /** Answers an operator; `undefined`: it has no store, so that there is nothing to see. */
  readonly operated: Handle | undefined
  /** What it publishes can be read, and what it subscribes to is handled. Called when its handle is reachable. */
  startEvents(): Promise<void>
  /** No event is handled any more. */
  stopHandling(): Promise<void>
  /** Jobs end, calls in progress end, the store is closed. */
  close(): Promise<void>
}

/** How long the calls in progress have when a service is closed without a drain before, milliseconds. */
const closeTimeoutMs = 1_000

/**
 * Opens the store, migrates it, runs the start hook, and is ready for calls. What was opened is closed again when a
 * step fails.
 * @throws StartError `service_failed` that names the service, the step and the cause
 */
export async function startService(loaded: LoadedService, deps: ServiceDeps): Promise<RunningService> {
  const { name } = loaded.placed
  const { definition } = loaded
  const opened = new AsyncDisposableStack()
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    deps.signal.throwIfAborted()
    return work().catch((cause: unknown) => {
      throw serviceFailed(name, what, cause)
    })
  }
  try {
    const store = await openServiceStore(loaded, deps, opened, step)
    const args = {
      store: store as OpenStore<unknown>,
      progress: (message: string) => deps.progress(name, message),
      log: deps.log,
      now: () => deps.clock.now(),
      newId: () => uuidv7(deps.clock.now()),
    }
    await step('its start hook failed', async () => definition.hooks.start?.({ ...args, signal: deps.signal }))
    const handle = createServiceHandle(definition, {
      ...(store === undefined ? {} : { store }),
      send: deps.send,
      mayCall: deps.mayCall,
      clock: deps.clock,
      newId: args.newId,
      random: deps.random,
      log: deps.log,
      observe: deps.observe,
    })
    opened.defer(() => handle.drain(closeTimeoutMs))
    const clients = createCalls(definition.uses, { from: name, send: deps.send, clock: deps.clock })
    const self = { kind: 'service', id: name, scopes: [] } as const
    const callsFor = (signal: AbortSignal, once: OnceScope) =>
      clients({ caller: self, trace: newTrace(), signal, once })
    const { clock, random } = deps
    const runner = `${hostname()} ${process.pid}`
    const jobs = await startJobs(definition.hooks.jobs ?? [], { clock, random, runner, args, callsFor })
    opened.defer(() => jobs.stop())
    let events: RunningEvents | undefined
    let sagas: RunningSagas | undefined
    const operatedDeps = (own: OpenStore<unknown>): OperatedDeps => ({
      store: own,
      feedFor: (stream) => deps.feedFor(stream, name),
      now: args.now,
      sagas: () => sagas?.operations,
      subscriptions: () => [...definition.subscriptions, ...(sagas?.subscriptions ?? [])].map((each) => each.name),
      wake() {
        jobs.look()
        sagas?.wake()
      },
    })
    opened.defer(() => sagas?.close())
    opened.defer(async () => events?.close())
    const operated =
      store === undefined ? undefined : operatedHandle(name, operatedDeps(store), { ...deps, newId: args.newId })
    const all = opened.move()
    return {
      handle,
      operated,
      async startEvents() {
        const common = { service: name, process: deps.process, bus: deps.bus, clock, random, log: deps.log }
        const observe = deps.observeEvents
        const { send, log, metrics } = deps
        const parts = { service: name, store, send, clock, random, newId: args.newId, log, metrics }
        sagas = await startServiceSagas(definition, parts)
        const more = sagas?.subscriptions ?? []
        events = await startEvents(definition, { ...common, store, observe, more, callsFor: clients }).catch(
          (cause: unknown) => {
            throw serviceFailed(name, 'its subscriptions cannot be started', cause)
          },
        )
      },
      async stopHandling() {
        await events?.stopHandling()
        await sagas?.close()
      },
      close: () => all.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openServiceStore(
  loaded: LoadedService,
  deps: ServiceDeps,
  opened: AsyncDisposableStack,
  step: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): Promise<OpenStore<unknown> | undefined> {
  const spec = loaded.definition.store
  const { connection } = deps
  if (spec === undefined) return undefined
  if (connection === undefined)
    return step('it has a store and was given no database', () => Promise.reject(new Error('none')))
  const { openStore } = await import('../../store/open-store.ts')
  const store = openStore(spec, connection, {
    clock: deps.clock,
    log: deps.log,
    random: deps.random,
    applicationName: loaded.placed.name,
    publishes: new Set(loaded.definition.contracts.map(({ id }) => id)),
  })
  opened.defer(() => store.close())
  const { clock, random, signal } = deps
  const waiting = () => deps.progress(loaded.placed.name, 'waiting for its database')
  await step('its migrations failed', () => whenReachable(() => store.migrate(), { clock, random, signal, waiting }))
  opened.defer(deps.watchOutbox(loaded.placed.name, () => store.outboxState()))
  const forgetting = startForgetting(store, deps)
  opened.defer(() => forgetting.stop())
  return store
}

import type { Handle } from '../../call/call.ts'
import type { GatewayReport } from '../../call/gateway-report.ts'
import type { Address } from '../../call/instance.ts'
import type { Clock } from '../../std/clock.ts'
import { operatedId } from '../../service/operator/operated-id.ts'
import type { StoreConnection } from '../../store/store.ts'
import { gatewayName, operatorName } from '../placement.ts'
import { startOrder } from '../start-order.ts'
import type { System } from '../system.ts'
import { checkBus } from '../bus-needs.ts'
import { checkStreams } from './event-facts.ts'
import { gatewayReport } from './gateway-report.ts'
import { type LocalBus, localBus } from '../../bus/local/index.ts'
import { type LoadedService, loadServices } from './load-services.ts'
import { createMesh, type LinkOptions, type Mesh } from './mesh.ts'
import type { ServiceFacts, SystemSnapshot } from './snapshot.ts'
import type { RunningGateway } from './start-gateway.ts'
import type { RunningService } from './start-service.ts'
import type { Telemetry } from './telemetry.ts'

export interface HostOptions {
  readonly system: System
  /** Names this process to the others and in the log. */
  readonly process: string
  /** Names of the services to run here. */
  readonly services: readonly string[]
  /** Where the gateway listens, when it runs here. */
  readonly gateway: { readonly host: string; readonly port: number } | undefined
  /** How to talk to the other processes; `undefined`: there are none. */
  readonly link: LinkOptions | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly telemetry: Telemetry
}

/** Code is loaded; nothing has been opened. */
export interface PreparedHost {
  readonly facts: readonly ServiceFacts[]
  /** Opens, migrates and serves. What was opened is closed again when it fails. @throws StartError */
  start(options: HostStart): Promise<RunningHost>
}

export interface HostStart {
  readonly stores: Readonly<Record<string, StoreConnection>>
  readonly snapshot: SystemSnapshot
  readonly progress: (service: string, message: string) => void
  readonly signal: AbortSignal
}

export interface RunningHost {
  /** Where the other processes reach this one. */
  readonly address: Address | undefined
  readonly gateway: { readonly host: string; readonly port: number } | undefined
  /** The gateway that runs here. @throws Error when none does */
  runningGateway(): RunningGateway
  /** `undefined`: no gateway runs here. */
  report(): GatewayReport | undefined
  /** Makes a call as if it came from within. */
  readonly send: Handle
  /** Takes a newer view of the system. */
  update(snapshot: SystemSnapshot): void
  inFlight(): number
  /** Takes nothing new and finishes what it has; the edge first. */
  drain(timeoutMs: number): Promise<void>
  /** Closes all in reverse order of opening. */
  close(): Promise<void>
}

/** Half of what a process imports at start is needed only where services run, or only where the gateway does. */
const serviceCode = () => import('./start-service.ts')
const gatewayCode = () => import('./start-gateway.ts')

/** Loads the code that this process is to run, and no other: its services', the gateway's. @throws StartError */
export async function prepareHost(options: HostOptions): Promise<PreparedHost> {
  const wanted = options.system.services.filter((service) => options.services.includes(service.name))
  const [loaded] = await Promise.all([
    loadServices(wanted),
    wanted.length === 0 ? undefined : serviceCode(),
    options.gateway === undefined ? undefined : gatewayCode(),
  ])
  for (const { definition } of loaded) checkStreams(options.system, definition)
  return { facts: loaded.map((each) => each.facts), start: (start) => startHost(options, loaded, start) }
}

async function startHost(
  options: HostOptions,
  loaded: readonly LoadedService[],
  start: HostStart,
): Promise<RunningHost> {
  const opened = new AsyncDisposableStack()
  const services: RunningService[] = []
  try {
    const mesh = await createMesh(options, loaded, start.snapshot)
    opened.defer(() => mesh.close())
    const bus = busOver(mesh, options)
    checkBus(options.system.name, bus)
    opened.defer(() => bus.close())
    for (const wave of startOrder(dependents(loaded))) {
      const members = loaded.filter((each) => wave.includes(each.placed.name))
      services.push(...(await startWave(members, options, start, mesh, bus, opened)))
    }
    await mesh.listen()
    // From here on events can be read over links, also by this process itself.
    await Promise.all(services.map((service) => service.startEvents()))
    const gateway = await openGateway(options, mesh, opened)
    return runningHost(options.process, mesh, bus, services, gateway, opened.move())
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function openGateway(
  { gateway, system, clock, telemetry }: HostOptions,
  mesh: Mesh,
  opened: AsyncDisposableStack,
): Promise<RunningGateway | undefined> {
  if (gateway === undefined) return undefined
  const { startGateway } = await gatewayCode()
  const services = () => mesh.services()
  const spec = { spec: system.gateway, systemName: system.name, send: mesh.send, clock, telemetry, services }
  const server = await startGateway(gateway, spec)
  opened.defer(() => server.close())
  return server
}

async function startWave(
  wave: readonly LoadedService[],
  options: HostOptions,
  start: HostStart,
  mesh: Mesh,
  bus: LocalBus,
  opened: AsyncDisposableStack,
): Promise<readonly RunningService[]> {
  const { startService } = await serviceCode()
  const abort = new AbortController()
  const signal = AbortSignal.any([start.signal, abort.signal])
  const results = await Promise.allSettled(
    wave.map(async (loaded) => {
      const { name } = loaded.placed
      const running = await startService(loaded, {
        send: mesh.send,
        mayCall: mesh.mayCall,
        bus,
        feedFor: (stream, service) => bus.feedFor(stream, service),
        process: options.process,
        clock: options.clock,
        random: options.random,
        log: options.telemetry.logFor(name),
        observe: (observation) => options.telemetry.observe(observation),
        metrics: options.telemetry.metrics,
        observeEvents: (observation) => options.telemetry.observeEvents(observation),
        watchOutbox: (service, read) => options.telemetry.watchOutbox(service, read),
        connection: start.stores[name],
        progress: start.progress,
        signal,
      }).catch((error: unknown) => {
        abort.abort(error)
        throw error
      })
      opened.defer(() => running.close())
      mesh.open(loaded.facts.contracts, running.handle.handle)
      opened.defer(async () => mesh.shut(loaded.facts.contracts))
      if (running.operated !== undefined) {
        mesh.open([operatedId(name)], running.operated)
        opened.defer(async () => mesh.shut([operatedId(name)]))
      }
      return running
    }),
  )
  if (abort.signal.aborted) throw abort.signal.reason
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/** How events cross between this process and the others. */
function busOver(mesh: Mesh, { link, clock, random, telemetry }: HostOptions): LocalBus {
  return localBus({
    send: mesh.send,
    open: (contracts, handle) => mesh.open(contracts, handle),
    shut: (contracts) => mesh.shut(contracts),
    mayRead: (from, contract) => from !== gatewayName && mesh.mayCall(from, contract),
    clock,
    random,
    log: telemetry.log,
    localReads: link?.localCalls ?? 'direct',
  })
}

function dependents(loaded: readonly LoadedService[]) {
  const ownerOf = new Map(loaded.flatMap(({ facts }) => facts.contracts.map((id) => [id, facts.service])))
  return loaded.map(({ facts }) => ({
    name: facts.service,
    needs: facts.uses.flatMap((id) => ownerOf.get(id) ?? []),
  }))
}

function runningHost(
  process: string,
  mesh: Mesh,
  bus: LocalBus,
  services: readonly RunningService[],
  server: RunningGateway | undefined,
  opened: AsyncDisposableStack,
): RunningHost {
  return {
    address: mesh.address(),
    gateway: server === undefined ? undefined : { host: server.host, port: server.port },
    runningGateway() {
      if (server === undefined) throw new Error('no gateway runs in this process')
      return server
    },
    report: () => (server === undefined ? undefined : gatewayReport(process, server.current(), mesh.clusters())),
    send: mesh.send,
    update: (snapshot) => mesh.update(snapshot),
    inFlight: () => services.reduce((sum, service) => sum + service.handle.inFlight(), 0),
    async drain(timeoutMs) {
      await server?.drain(timeoutMs)
      await Promise.all(services.map((service) => service.stopHandling()))
      bus.endWaits()
      await mesh.drain(timeoutMs)
      await Promise.all(services.map((service) => service.handle.drain(timeoutMs)))
    },
    close: () => opened.disposeAsync(),
  }
}

/** Who is behind calls that leave this process. */
export function namesHere(options: HostOptions): readonly string[] {
  const { services, gateway, link } = options
  // In the wire runner an operator's calls leave this process, and come back, over the link.
  const operator = (link?.localCalls ?? 'direct') === 'direct' ? [] : [operatorName]
  return [...services, ...(gateway === undefined ? [] : [gatewayName]), ...operator]
}

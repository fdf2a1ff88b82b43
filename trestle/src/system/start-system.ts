import type { LogLevel } from '../telemetry/index.ts'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Operator } from '../call/operator.ts'
import type { LinkOptions, LocalCalls } from './host/mesh.ts'
import { createTelemetry, type Telemetry } from './host/telemetry.ts'
import { systemClock, type Clock } from '../std/clock.ts'
import type { StoreProvider } from '../store/index.ts'
import type { Beside } from './beside.ts'
import { checkPort } from './check-port.ts'
import type { OwnerLock } from '../store/embedded/owner-lock.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { loadSystem } from './load-system.ts'
import { givenStores, ownStores, type Stores } from './open-stores.ts'
import { type Placement, placementOf } from './placement.ts'
import type { RunningSystem } from './running-system.ts'
import type { LivenessOptions } from './split/liveness.ts'
import { type Besides, setEnvironment, startBesides } from './start-beside.ts'
import { StartError } from './start-error.ts'
import type { RestartLimits } from '../supervisor/index.ts'
import type { System } from './system.ts'
import type { Topology } from './topology.ts'

/** Serves the operator's operations to other processes; `admin/` has one. */
export type AdminServer = (options: {
  readonly operator: Operator
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly system: string
  readonly topology: string
  readonly gatewayUrl: string
  readonly telemetry: Telemetry
}) => Promise<{ readonly url: string; close(): Promise<void> }>

/** How a system is started: where it is defined, where its data lie, which ports it takes. */
export interface StartOptions {
  /** The file whose default export is the system. */
  readonly systemUrl?: URL
  /** In place of a file: a system that was made here. Runs in one process: no other could load it. */
  readonly system?: System
  /** Default: the system's first topology. */
  readonly topology?: string
  /** In place of a topology that the system names. */
  readonly place?: Topology
  /**
   * Run what the topology says from a parent of its own: `oneProcess()` becomes one child that can be replaced while the
   * parent keeps the database and the public socket. Default `false`.
   */
  readonly supervised?: boolean
  /** Default `.trestle` in the working directory. */
  readonly dataDir?: string
  /** Default 127.0.0.1. */
  readonly gatewayHost?: string
  /** Default 4000; 0 picks a free one. */
  readonly gatewayPort?: number
  /** Default 4001; 0 picks a free one. Always on 127.0.0.1. */
  readonly adminPort?: number
  /** How the operator's operations are served; without it there is no admin listener. */
  readonly admin?: AdminServer
  /** Where `TRESTLE_POSTGRES_URL` and `TRESTLE_STORE_<SERVICE>_URL` are looked up; default: the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Databases that somebody else opened and will close. */
  readonly stores?: StoreProvider
  /** Default `info`. */
  readonly logLevel?: LogLevel
  /** What a long start is doing: a service (or the system's name), and what it says. */
  readonly progress?: (service: string, message: string) => void
  /** Ends a start that is going on: what was started is stopped again, and the start rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** How long calls in progress may take when something stops; default 10,000. */
  readonly drainTimeoutMs?: number
  /** A start in which nothing moves for so long has failed; default 60,000. */
  readonly startIdleMs?: number
  readonly restarts?: RestartLimits
  readonly liveness?: LivenessOptions
  /** Default `direct`; the others are for tests in one process. */
  readonly localCalls?: LocalCalls
  readonly onDivergence?: LinkOptions['onDivergence']
  readonly clock?: Clock
}

/** All that starting needs, with the defaults filled in. */
export interface Start {
  readonly options: StartOptions
  readonly system: System
  readonly placement: Placement
  readonly dataDir: string
  readonly gateway: { readonly host: string; readonly port: number }
  /** Of the data directory. */
  readonly lock: OwnerLock
  readonly stores: Stores
  readonly key: Uint8Array
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly progress: (service: string, message: string) => void
  readonly drainTimeoutMs: number
  readonly signal: AbortSignal
  readonly besides: Besides
  /** What was opened so far; closed in reverse order. */
  readonly opened: AsyncDisposableStack
}

/** What one way of running a system gives back. */
export interface Started {
  readonly operator: Operator
  readonly send: RunningSystem['send']
  readonly gatewayUrl: string
  readonly describe: () => Promise<Pick<Awaited<ReturnType<RunningSystem['describe']>>, 'services'>>
  readonly reload: () => Promise<void>
  readonly replaceGateway: RunningSystem['replaceGateway']
  readonly kill: () => void
}

/** See `startSystem` in `start.ts`. */
export async function startSystem(options: StartOptions): Promise<RunningSystem> {
  const opened = new AsyncDisposableStack()
  try {
    const start = await prepare(options, opened)
    start.signal.throwIfAborted()
    const started = start.placement.inThisProcess ? await merged(start) : await split(start)
    await start.besides.ready
    const admin = await options.admin?.({
      operator: started.operator,
      host: '127.0.0.1',
      port: options.adminPort ?? 4001,
      dataDir: start.dataDir,
      system: start.system.name,
      topology: start.placement.topology,
      gatewayUrl: started.gatewayUrl,
      telemetry: start.telemetry,
    })
    if (admin !== undefined) opened.defer(() => admin.close())
    start.signal.throwIfAborted()
    const addresses = { gateway: started.gatewayUrl, ...(admin === undefined ? {} : { admin: admin.url }) }
    start.lock.announce(addresses)
    start.stores.announce(addresses)
    return runningSystem(start, started, admin?.url, opened.move())
  } catch (error) {
    await opened.disposeAsync()
    options.signal?.throwIfAborted()
    throw error
  }
}

async function merged(start: Start): Promise<Started> {
  const { startOneProcess } = await import('./start-one-process.ts')
  return startOneProcess(start)
}

async function split(start: Start): Promise<Started> {
  const { startFleet } = await import('./split/start-fleet.ts')
  return startFleet(start)
}

async function prepare(options: StartOptions, opened: AsyncDisposableStack): Promise<Start> {
  const dataDir = resolve(options.dataDir ?? '.trestle')
  const host = options.gatewayHost ?? '127.0.0.1'
  const progress = options.progress ?? (() => {})
  const telemetry = createTelemetry({ process: 'supervisor', level: options.logLevel ?? 'info' })
  opened.defer(() => telemetry.close())
  const gateway = { host, port: await checkPort('gateway', { host, port: options.gatewayPort ?? 4000 }) }
  if (options.admin !== undefined) await checkPort('admin', { host: '127.0.0.1', port: options.adminPort ?? 4001 })
  const system = await systemOf(options)
  const clock = options.clock ?? systemClock
  const lock = lockDataDir(dataDir, () => clock.now())
  opened.defer(() => lock.release())
  const stores = storesFor(dataDir, options, telemetry, (message) => progress(system.name, message))
  opened.defer(() => stores.close())
  stores.warmUp(system.services.map((service) => service.name))
  const signal = options.signal ?? new AbortController().signal
  const env = options.env ?? process.env
  const portFor = (other: Beside) => besidePort(options, host, other)
  const { log } = telemetry
  const logLevel = options.logLevel ?? 'info'
  const besides = await startBesides(system, { env, dataDir, portFor, logLevel, log, progress, signal }, opened)
  opened.use(setEnvironment({ ...besides.env, TRESTLE_GATEWAY_URL: `http://${host}:${gateway.port}` }))
  return {
    options,
    system,
    placement: placed(system, options),
    dataDir,
    gateway,
    lock,
    stores,
    key: randomBytes(32),
    telemetry,
    clock,
    progress,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    signal,
    besides,
    opened,
  }
}

/** Where the gateway takes any free port, so do the systems beside it. */
function besidePort({ gatewayPort }: StartOptions, host: string, other: Beside): Promise<number> {
  return checkPort(other, { host, port: gatewayPort === 0 ? 0 : other.port })
}

function systemOf({ system, systemUrl }: StartOptions): System | Promise<System> {
  if (system !== undefined) return system
  if (systemUrl !== undefined) return loadSystem(systemUrl)
  throw new StartError('system_invalid', 'startSystem needs systemUrl, the file that defines the system')
}

function storesFor(
  dataDir: string,
  options: StartOptions,
  telemetry: Telemetry,
  progress: (message: string) => void,
): Stores {
  if (options.stores !== undefined) return givenStores(options.stores)
  return ownStores({ dataDir, env: options.env ?? process.env, log: telemetry.log, progress })
}

function placed(system: System, options: StartOptions): Placement {
  try {
    const { place } = options
    const replaced = place === undefined ? system : { ...system, topologies: { [place.kind]: place } }
    const placement = placementOf(replaced, options.topology)
    return options.supervised === true ? { ...placement, inThisProcess: false } : placement
  } catch (cause) {
    throw new StartError('system_invalid', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function runningSystem(
  start: Start,
  started: Started,
  adminUrl: string | undefined,
  opened: AsyncDisposableStack,
): RunningSystem {
  const stopped = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= opened.disposeAsync().finally(() => stopped.resolve())
    return stopping
  }
  const { system, placement, stores, dataDir } = start
  return {
    name: system.name,
    topology: placement.topology,
    gatewayUrl: started.gatewayUrl,
    adminUrl,
    dataDir,
    operator: started.operator,
    send: started.send,
    reload: started.reload,
    replaceGateway: started.replaceGateway,
    stop,
    kill: started.kill,
    stopped: stopped.promise,
    [Symbol.asyncDispose]: stop,
    describe: async () => ({
      system: system.name,
      topology: placement.topology,
      gatewayUrl: started.gatewayUrl,
      adminUrl,
      ...(await started.describe()),
      stores: stores.description(),
      beside: start.besides.describe(),
    }),
  }
}

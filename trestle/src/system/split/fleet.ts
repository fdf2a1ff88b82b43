import type { LogLevel } from '../../telemetry/index.ts'
import { join } from 'node:path'
import type { GatewayReport } from '../../call/gateway-report.ts'
import type { Clock } from '../../std/clock.ts'
import type { Log } from '../../service/service.ts'
import type { StoreConnection } from '../../store/store.ts'
import { createSupervisor, type RestartLimits, type Supervisor } from '../../supervisor/index.ts'
import type { ServiceFacts, SystemSnapshot } from '../host/snapshot.ts'
import type { Stores } from '../open-stores.ts'
import type { Placement } from '../placement.ts'
import { StartError } from '../start-error.ts'
import { startOrder } from '../start-order.ts'
import type { System } from '../system.ts'
import type { SpawnChild } from './child-handle.ts'
import { type GroupState, newGroupState } from './group-state.ts'
import { type Liveness, type LivenessOptions, watchLiveness } from './liveness.ts'
import { logSupervision } from './log-supervision.ts'
import type { FromChild, ToChild } from './messages.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { newReplica, type Replica, type ReplicaCare, replicaSpec } from './replica.ts'
import { createUsage, type Usage } from './usage.ts'

export interface FleetOptions {
  readonly system: System
  readonly systemUrl: URL
  readonly placement: Placement
  readonly gateway: { readonly host: string; readonly port: number }
  /** Where the processes' sockets lie: short, and ours alone. */
  readonly socketDir: string
  readonly key: Uint8Array
  readonly stores: Pick<Stores, 'connectionsFor'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly logLevel: LogLevel
  readonly spawn: SpawnChild
  readonly onProgress: (service: string, message: string) => void
  /** The parent's own view of the system. */
  readonly onSnapshot: (snapshot: SystemSnapshot) => void
  readonly drainTimeoutMs: number
  /** A start in which nothing moves for so long has failed. */
  readonly startIdleMs: number
  readonly restarts?: RestartLimits
  readonly liveness?: LivenessOptions
}

/** After the drain a process has this long to close before it is killed, milliseconds. */
const closeTimeoutMs = 3_000

/** All processes of a split system, seen from their parent. */
export class Fleet {
  readonly options: FleetOptions
  readonly groups: ReadonlyMap<string, GroupState>
  readonly supervisor: Supervisor
  readonly publisher: Publisher
  readonly usage: Usage = createUsage()
  readonly #care: ReplicaCare
  readonly #liveness: Liveness
  readonly #answers = new Map<number, (answer: FromChild) => void>()
  #lastRequest = 1_000_000_000
  #gatewayPort: number
  #stopping = false

  constructor(options: FleetOptions) {
    this.options = options
    this.groups = new Map(options.placement.groups.map((group) => [group.name, newGroupState(group)]))
    this.#gatewayPort = options.gateway.port
    const { clock, random } = options
    const replicas = () => this.replicas()
    this.supervisor = createSupervisor({
      clock,
      random,
      onEvent: (event) => logSupervision(options.log, event),
      ...(options.restarts === undefined ? {} : { limits: options.restarts }),
    })
    this.publisher = createPublisher({
      replicas,
      declared: declaredContracts(options.system),
      clock,
      onSnapshot: options.onSnapshot,
    })
    const onDead = (replica: Replica, reason: string) => this.supervisor.kill(replica.id, reason)
    this.#liveness = watchLiveness({ replicas, clock, onDead }, options.liveness)
    this.#care = {
      clock,
      spawn: options.spawn,
      prepare: (replica) => this.#prepareMessage(replica),
      onHello: (replica) => this.#helloOf.get(replica.group)?.resolve(replica.facts),
      mayStart: (replica, signal) => this.#startMessage(replica, signal),
      onChange: () => void this.publisher.publish(),
      onMessage: (replica, message) => this.#onMessage(replica, message),
      retire: (replica) => void this.#retire(replica),
      startIdleMs: options.startIdleMs,
      shutdownMs: options.drainTimeoutMs + closeTimeoutMs,
    }
  }

  readonly #helloOf = new Map<GroupState, PromiseWithResolvers<readonly ServiceFacts[]>>()

  /**
   * Starts all groups: their code loads at once, then they open in the order in which they depend on each other. When one
   * fails, or `signal` aborts, all are stopped again.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const groups = [...this.groups.values()]
    const starts = new Map(groups.map((group) => [group, this.#startGroup(group)]))
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(signal?.reason)
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort)
    const allStarted = Promise.race([Promise.all(starts.values()), aborted])
    allStarted.catch(() => {})
    try {
      const hellos = Promise.all(groups.map(async (group) => dependent(group, await this.#hello(group))))
      for (const wave of startOrder(withOwners(await orFail(hellos, allStarted)))) {
        const members = groups.filter((group) => wave.includes(group.name))
        for (const group of members) group.gate.resolve()
        await orFail(Promise.all(members.map(async (group) => starts.get(group))), allStarted)
      }
    } catch (error) {
      await this.stop()
      throw error instanceof StartError ? error : new StartError('service_failed', String(error), { cause: error })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #hello(group: GroupState): Promise<readonly ServiceFacts[]> {
    const hello = Promise.withResolvers<readonly ServiceFacts[]>()
    this.#helloOf.set(group, hello)
    return hello.promise
  }

  async #startGroup(group: GroupState): Promise<void> {
    await Promise.all(this.newReplicas(group, group.wanted).map((replica) => this.launch(replica)))
  }

  *replicas(): Iterable<Replica> {
    for (const group of this.groups.values()) yield* group.replicas
  }

  /** Names for new replicas; nothing runs yet. */
  newReplicas(group: GroupState, count: number): readonly Replica[] {
    return Array.from({ length: count }, () => newReplica(`${group.name}-${++group.lastNumber}`, group))
  }

  /** Starts a replica and resolves when it is ready; when it does not become ready it is forgotten, and the cause is thrown. */
  async launch(replica: Replica): Promise<void> {
    if (this.#stopping) throw new Error('the system stops')
    replica.group.replicas.add(replica)
    try {
      await this.supervisor.add(replicaSpec(replica, this.#care))
    } catch (error) {
      replica.group.replicas.delete(replica)
      throw error
    }
  }

  /** Drains a replica, ends it and forgets it. */
  async retire(replica: Replica): Promise<void> {
    await this.supervisor.remove(replica.id)
    replica.group.replicas.delete(replica)
  }

  /** The edge first, then what it uses, and so on; all of one step together. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#liveness.stop()
    const groups = [...this.groups.values()]
    const order = startOrder(withOwners(groups.map((group) => dependent(group, factsOf(group)))))
    for (const wave of order.toReversed()) {
      const members = groups.filter((group) => wave.includes(group.name))
      await Promise.all(members.flatMap((group) => [...group.replicas].map((replica) => this.retire(replica))))
    }
  }

  /** Ends every process at once. */
  kill(): void {
    for (const replica of this.replicas()) replica.handle?.kill('the system was ended by force')
  }

  gatewayPort(): number {
    return this.#gatewayPort
  }

  /** Asks every ready process how it is; waits for the answers at most `timeoutMs`. */
  async refreshUsage(timeoutMs = 500): Promise<void> {
    const open = new Set<number>()
    for (const replica of this.replicas()) {
      if (replica.state !== 'ready') continue
      const id = ++this.#lastRequest
      open.add(id)
      replica.handle?.send({ kind: 'ping', id })
    }
    const answered = [...open].map((id) => new Promise<void>((resolve) => this.#answers.set(id, () => resolve())))
    await this.#within(Promise.all(answered), timeoutMs)
    for (const id of open) this.#answers.delete(id)
  }

  /** The measurements of each process as Prometheus text. */
  async metrics(timeoutMs = 1_000): Promise<readonly { readonly replica: Replica; readonly text: string }[]> {
    const answers = await this.#ask('metrics', [...this.replicas()], timeoutMs)
    return answers.flatMap(({ replica, answer }) => (answer.kind === 'metrics' ? [{ replica, text: answer.text }] : []))
  }

  /** What each gateway says of itself; one that does not answer in time is not there. */
  async gateways(timeoutMs = 1_000): Promise<readonly GatewayReport[]> {
    const asked = [...this.replicas()].filter(({ group }) => group.gateway)
    const answers = await this.#ask('report', asked, timeoutMs)
    const reports = answers.flatMap(({ answer }) => (answer.kind === 'report' ? (answer.report ?? []) : []))
    return reports.toSorted((a, b) => a.process.localeCompare(b.process))
  }

  /** Asks those of the replicas that are ready, and waits for the answers at most `timeoutMs`. */
  async #ask(kind: 'metrics' | 'report', replicas: readonly Replica[], timeoutMs: number) {
    const answers: { readonly replica: Replica; readonly answer: FromChild }[] = []
    const ids: number[] = []
    const all = replicas
      .filter((replica) => replica.state === 'ready')
      .map((replica) => {
        const id = ++this.#lastRequest
        ids.push(id)
        return new Promise<void>((resolve) => {
          this.#answers.set(id, (answer) => {
            answers.push({ replica, answer })
            resolve()
          })
          replica.handle?.send({ kind, id })
        })
      })
    await this.#within(Promise.all(all), timeoutMs)
    for (const id of ids) this.#answers.delete(id)
    return answers
  }

  async #within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = this.options.clock.setTimeout(() => late.resolve(), timeoutMs)
    await Promise.race([work, late.promise])
    timer.cancel()
  }

  #prepareMessage(replica: Replica): ToChild {
    const { options } = this
    return {
      kind: 'prepare',
      systemUrl: options.systemUrl.href,
      process: replica.id,
      services: replica.group.services,
      gateway: replica.group.gateway ? { host: options.gateway.host, port: this.#gatewayPort } : undefined,
      link: {
        kind: 'unix',
        path: join(options.socketDir, `${replica.group.name}-${replica.id.split('-').at(-1)}.${replica.life}`),
      },
      key: Buffer.from(options.key).toString('hex'),
      logLevel: options.logLevel,
    }
  }

  async #startMessage(replica: Replica, signal: AbortSignal): Promise<ToChild> {
    const aborted = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => aborted.reject(new Error('stopped while it waited for others')), {
      once: true,
    })
    await Promise.race([replica.group.gate.promise, aborted.promise])
    return { kind: 'start', stores: await this.#storesFor(replica), snapshot: this.publisher.current() }
  }

  async #storesFor(replica: Replica): Promise<Readonly<Record<string, StoreConnection>>> {
    const { system, stores } = this.options
    const needed = replica.facts.filter((facts) => facts.hasStore)
    const poolMax = new Map(system.services.map((service) => [service.name, service.poolMax]))
    const processes = () => replica.group.replicas.size
    return stores.connectionsFor(
      needed.map(({ service }) => ({ service, poolMax: poolMax.get(service) ?? 8, processes })),
    )
  }

  #onMessage(replica: Replica, message: FromChild): void {
    if (message.kind === 'applied') this.publisher.applied(replica, message.id)
    else if (message.kind === 'progress') this.options.onProgress(message.service, message.message)
    else if (message.kind === 'metrics' || message.kind === 'report') this.#answers.get(message.id)?.(message)
    else if (message.kind === 'leaving') void this.#retire(replica)
    else if (message.kind === 'ready' && message.gateway !== undefined) this.#gatewayPort = message.gateway.port
    else if (message.kind === 'pong') {
      this.usage.seen(replica, message.stats, this.options.clock.monotonic())
      this.#liveness.pong(replica, message.id)
      this.#answers.get(message.id)?.(message)
    }
  }

  /** Callers are told first, and have applied it, before the process stops to accept. */
  async #retire(replica: Replica): Promise<void> {
    const { handle } = replica
    if (handle === undefined || replica.state === 'draining') return
    replica.state = 'draining'
    await this.publisher.publish()
    handle.send({ kind: 'drain', timeoutMs: this.options.drainTimeoutMs })
  }
}

function declaredContracts(system: System): readonly string[] {
  return [
    ...system.services.flatMap((service) => service.contracts.map((contract) => contract.id)),
    ...system.externals.map((service) => service.contract.id),
  ]
}

function factsOf(group: GroupState): readonly ServiceFacts[] {
  return [...group.replicas].flatMap((replica) => replica.facts)
}

interface GroupFacts {
  readonly name: string
  readonly gateway: boolean
  readonly facts: readonly ServiceFacts[]
}

function dependent(group: GroupState, facts: readonly ServiceFacts[]): GroupFacts {
  return { name: group.name, gateway: group.gateway, facts }
}

/** From "uses these contracts" to "needs these groups". The gateway needs them all. */
function withOwners(groups: readonly GroupFacts[]) {
  const owner = new Map(
    groups.flatMap((group) => group.facts.flatMap((facts) => facts.contracts.map((id) => [id, group.name]))),
  )
  return groups.map((group) => ({
    name: group.name,
    needs: group.gateway
      ? groups.map((each) => each.name)
      : group.facts.flatMap((facts) => facts.uses.flatMap((id) => owner.get(id) ?? [])),
  }))
}

/** The result of `work`, or the first failure of `other`. */
async function orFail<T>(work: Promise<T>, other: Promise<unknown>): Promise<T> {
  return Promise.race([work, other.then(() => work)])
}

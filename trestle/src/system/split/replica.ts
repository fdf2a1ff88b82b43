import type { Address } from '../../call/instance.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import type { ChildSpec, RunningChild } from '../../supervisor/index.ts'
import type { ServiceFacts } from '../host/snapshot.ts'
import { StartError, type StartErrorCode } from '../start-error.ts'
import type { ChildHandle, SpawnChild } from './child-handle.ts'
import type { GroupState } from './group-state.ts'
import type { FromChild, ProcessStats, ToChild } from './messages.ts'

/** One process of a group, over all its lives. */
export interface Replica {
  /** `orders-1`. */
  readonly id: string
  readonly group: GroupState
  /** Counts its lives: instances of a restarted process have new ids. */
  life: number
  state: 'starting' | 'ready' | 'draining' | 'gone'
  /** `false`: ready, but callers are not told yet (a deploy waits for all new replicas). */
  announced: boolean
  handle: ChildHandle | undefined
  facts: readonly ServiceFacts[]
  address: Address | undefined
  gateway: { readonly host: string; readonly port: number } | undefined
  stats: ProcessStats | undefined
  /** The newest snapshot that it says it has. */
  appliedSnapshot: number
  /** Service -> the last that its start hook said. */
  readonly progress: Map<string, string>
}

export function newReplica(id: string, group: GroupState): Replica {
  return {
    id,
    group,
    life: 0,
    state: 'gone',
    announced: true,
    handle: undefined,
    facts: [],
    address: undefined,
    gateway: undefined,
    stats: undefined,
    appliedSnapshot: 0,
    progress: new Map(),
  }
}

/** What the parent does at each step of a replica's life. */
export interface ReplicaCare {
  readonly clock: Clock
  readonly spawn: SpawnChild
  readonly prepare: (replica: Replica) => ToChild
  /** Its code is loaded. */
  readonly onHello: (replica: Replica) => void
  /** Resolves when what it depends on is there, with the message that lets it start. */
  readonly mayStart: (replica: Replica, signal: AbortSignal) => Promise<ToChild>
  /** What it runs, or its state, has changed: callers must know. */
  readonly onChange: (replica: Replica) => void
  readonly onMessage: (replica: Replica, message: FromChild) => void
  /** Takes a ready replica out of the calls' way, drains it and lets it exit. */
  readonly retire: (replica: Replica) => void
  /** A start in which nothing moves for so long has failed. */
  readonly startIdleMs: number
  readonly shutdownMs: number
}

/** The specification by which a supervisor runs a replica. */
export function replicaSpec(replica: Replica, care: ReplicaCare): ChildSpec {
  return {
    id: replica.id,
    restart: 'permanent',
    shutdownMs: care.shutdownMs,
    start: (signal) => startReplica(replica, care, signal),
  }
}

async function startReplica(replica: Replica, care: ReplicaCare, signal: AbortSignal): Promise<RunningChild> {
  const handle = care.spawn({ sharesSocket: replica.group.gateway })
  replica.handle = handle
  replica.life++
  replica.state = 'starting'
  replica.stats = undefined
  replica.appliedSnapshot = 0
  replica.progress.clear()
  const steps = listen(replica, care, handle)
  signal.addEventListener('abort', () => handle.kill('stopped while it started'), { once: true })
  void handle.exited.then(() => {
    if (replica.handle !== handle) return undefined
    replica.state = 'gone'
    replica.handle = undefined
    care.onChange(replica)
    return undefined
  })
  try {
    handle.send(care.prepare(replica))
    await steps.hello
    care.onHello(replica)
    steps.rest()
    handle.send(await Promise.race([care.mayStart(replica, signal), steps.failed]))
    steps.moved()
    await steps.ready
  } catch (error) {
    handle.kill('its start failed')
    await handle.exited
    throw error
  } finally {
    steps.rest()
  }
  replica.state = 'ready'
  care.onChange(replica)
  return {
    ...(handle.pid === undefined ? {} : { pid: handle.pid }),
    exited: handle.exited,
    stop: () => care.retire(replica),
    kill: (reason) => handle.kill(reason ?? 'ended by the supervisor'),
  }
}

interface Steps {
  readonly hello: Promise<void>
  readonly ready: Promise<void>
  /** Rejects when it exits, reports a failure, or nothing moves for too long. */
  readonly failed: Promise<never>
  /** The time starts anew: something is expected to happen. */
  readonly moved: () => void
  /** Nothing is expected: it waits for others. */
  readonly rest: () => void
}

function listen(replica: Replica, care: ReplicaCare, handle: ChildHandle): Steps {
  const hello = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<never>()
  // Whoever waits for a step sees its failure; nobody may wait for the others any more.
  const untilFailed = <T>(step: Promise<T>): Promise<T> => {
    const either = Promise.race([step, failed.promise])
    either.catch(() => {})
    return either
  }
  const fail = (code: StartErrorCode, what: string) => {
    const message = what.startsWith(`${replica.group.name}:`) ? what : `${replica.group.name}: ${what}`
    failed.reject(new StartError(code, message))
  }
  let idle: Timer | undefined
  const moved = () => {
    idle?.cancel()
    idle = care.clock.setTimeout(
      () => fail('service_failed', `nothing happened for ${care.startIdleMs} ms`),
      care.startIdleMs,
    )
  }
  moved()
  void handle.exited.then((exit) => fail('service_failed', exit.reason))
  handle.onMessage((message) => {
    if (replica.handle !== handle) return
    if (replica.state === 'starting') moved()
    if (message.kind === 'hello') {
      replica.facts = message.facts
      hello.resolve()
    } else if (message.kind === 'progress') {
      replica.progress.set(message.service, message.message)
    } else if (message.kind === 'ready') {
      replica.address = message.address
      replica.gateway = message.gateway
      ready.resolve()
    } else if (message.kind === 'failed') {
      fail(isStartCode(message.code) ? message.code : 'service_failed', message.message)
    }
    care.onMessage(replica, message)
  })
  return {
    hello: untilFailed(hello.promise),
    ready: untilFailed(ready.promise),
    failed: failed.promise,
    moved,
    rest: () => idle?.cancel(),
  }
}

function isStartCode(code: string): code is StartErrorCode {
  return ['system_invalid', 'port_in_use', 'service_failed', 'store_failed'].includes(code)
}

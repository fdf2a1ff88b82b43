import type { Call, Reply, Transport } from '../call/call.ts'
import type { Instance, Registry } from '../call/instance.ts'
import { platformProblem } from '../call/problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { Clock } from '../std/clock.ts'
import type { Cluster, ClusterState, NoAttempt } from './cluster.ts'
import type { ClusterEvent, ClusterFeatures } from './cluster-options.ts'
import { createCluster } from './create-cluster.ts'
import { Endpoint, type InstanceTransport } from './endpoint.ts'
import { outcomeOfReply } from './outcome-of-reply.ts'

export interface BalancedOptions {
  readonly registry: Registry
  /** Opens the way to an instance; called once for each, with its first call. */
  readonly open: (instance: Instance) => InstanceTransport
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
  /** Whether an operation may be asked again when it may have been processed. Default: none may. */
  readonly idempotent?: (contract: string, operation: string) => boolean
  /** How often one call is sent at most, the first time included. Default 3. */
  readonly attemptsMax?: number
  /** How long a call waits for an instance of a service that lost its last one a moment ago. Default 200. */
  readonly waitMaxMs?: number
  /** How the instances of a contract are chosen, ejected and protected. */
  readonly cluster?: ClusterFeatures
  /** Told when an instance is ejected or returns, and when a breaker opens or closes. */
  readonly onEvent?: (contract: string, event: ClusterEvent) => void
}

/** How the instances of one contract stand, seen from this process. */
export interface ContractState extends ClusterState {
  /** `name@major` */
  readonly contract: string
}

export interface BalancedTransport extends Transport {
  /** For operators: one entry for each contract that was called from here. */
  state(): readonly ContractState[]
}

/** A service whose last instance left within this time may be restarting. */
const recentMs = 1_000
const retryPauseMs = 20
/** Calls that wait for an instance; beyond: `unavailable` at once. */
const waitersMax = 1_024
/** Nobody's id: a retry that may go to anybody. */
const anybody: readonly string[] = ['']

/** What is known of one contract: who serves it, and how they do. */
interface Group {
  source: readonly Instance[]
  readonly cluster: Cluster<Endpoint>
  /** Since when nobody serves it; `undefined`: somebody does, or never did. */
  emptySinceMs: number | undefined
}

/**
 * Sends each call to one of the instances that serve its contract: to the quicker and less busy of two, to none that
 * fails while the others do not, and to nobody while asking is of no use. A call that was certainly not processed, or
 * may be repeated, is tried on another instance within its deadline and the contract's retry budget.
 * Answers `not_found` for a contract that the system does not have, `unavailable` when nobody serves it now or its
 * breaker is open, `overloaded` when as many calls run as its instances can bear.
 * @example balanced({ registry, open: (instance) => connectLink({ ... }), clock, random: Math.random })
 */
export function balanced(options: BalancedOptions): BalancedTransport {
  return new Balancer(options)
}

class Balancer implements BalancedTransport {
  readonly #options: BalancedOptions
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #groups = new Map<string, Group>()
  readonly #waiters = new Set<() => void>()
  readonly #stopListening: () => void
  #closed = false

  constructor(options: BalancedOptions) {
    this.#options = options
    this.#stopListening = options.registry.onChange(() => this.#refresh())
  }

  async send(call: Call): Promise<Reply> {
    const { registry } = this.#options
    if (this.#closed) return refused('unavailable', call, 'the transport is closed', 1_000)
    if (!registry.knows(call.contract)) {
      return refused('not_found', call, `no service of this system implements the contract ${call.contract}`)
    }
    const group = this.#group(call.contract)
    if (group.source.length === 0) await this.#appearance(group, call.deadlineMs)
    return this.#attempts(call, group)
  }

  state(): readonly ContractState[] {
    return [...this.#groups].map(([contract, { cluster }]) => ({ contract, ...cluster.state() }))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopListening()
    for (const wake of this.#waiters) wake()
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()))
    this.#endpoints.clear()
    this.#groups.clear()
  }

  async #attempts(call: Call, { cluster }: Group): Promise<Reply> {
    const tried: string[] = []
    let reply: Reply | undefined
    for (let number = 1; ; number += 1) {
      let attempt = cluster.begin(tried)
      if ('refused' in attempt && tried.length === 1 && mayBeBack(reply)) {
        await this.#pause(retryPauseMs)
        attempt = cluster.begin(anybody)
      }
      if (this.#closed) return refused('unavailable', call, 'the transport is closed', 1_000)
      if ('refused' in attempt) return reply ?? notBegun(call, attempt)
      tried.push(attempt.id)
      reply = await attempt.target.send(call)
      attempt.end(outcomeOfReply(call, reply))
      if (!this.#mayRetry(call, reply, number) || !cluster.mayRetry()) return reply
    }
  }

  #mayRetry(call: Call, reply: Reply, attempt: number): boolean {
    const { clock, attemptsMax = 3, idempotent } = this.#options
    if (reply.ok || reply.problem.declared || attempt >= attemptsMax) return false
    if (call.signal.aborted || clock.monotonic() >= call.deadlineMs) return false
    const { code } = reply.problem
    if (code === 'unavailable' || code === 'overloaded') return true
    return code === 'outcome_unknown' && idempotent?.(call.contract, call.operation) === true
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, ms))
  }

  /** Waits a moment for an instance, if there was one until just now. */
  async #appearance(group: Group, deadlineMs: number): Promise<void> {
    const { clock, waitMaxMs = 200 } = this.#options
    const since = group.emptySinceMs
    if (since === undefined || clock.monotonic() - since > recentMs || this.#waiters.size >= waitersMax) return
    const endMs = Math.min(clock.monotonic() + waitMaxMs, deadlineMs)
    while (group.source.length === 0 && !this.#closed && clock.monotonic() < endMs) {
      await this.#change(endMs - clock.monotonic())
    }
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        this.#waiters.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.setTimeout(wake, ms)
      this.#waiters.add(wake)
    })
  }

  #group(contract: string): Group {
    let group = this.#groups.get(contract)
    if (group === undefined) {
      group = { source: [], cluster: this.#cluster(contract), emptySinceMs: undefined }
      this.#groups.set(contract, group)
      this.#update(contract, group)
    }
    return group
  }

  #cluster(contract: string): Cluster<Endpoint> {
    const { clock, random, onEvent, cluster } = this.#options
    return createCluster({
      ...cluster,
      clock,
      random,
      isReady: (endpoint) => endpoint.isReady,
      ...(onEvent === undefined ? {} : { onEvent: (event: ClusterEvent) => onEvent(contract, event) }),
    })
  }

  #update(contract: string, group: Group): void {
    const source = this.#options.registry.instances(contract)
    if (source === group.source) return
    if (source.length > 0) group.emptySinceMs = undefined
    else if (group.source.length > 0) group.emptySinceMs = this.#options.clock.monotonic()
    group.source = source
    group.cluster.replace(source.map((instance) => ({ id: instance.id, target: this.#endpoint(instance) })))
  }

  #endpoint(instance: Instance): Endpoint {
    let endpoint = this.#endpoints.get(instance.id)
    if (endpoint === undefined) {
      endpoint = new Endpoint(instance, this.#options.open)
      this.#endpoints.set(instance.id, endpoint)
    }
    return endpoint
  }

  #refresh(): void {
    const present = new Set(this.#options.registry.all().map((instance) => instance.id))
    for (const [contract, group] of this.#groups) this.#update(contract, group)
    for (const [id, endpoint] of this.#endpoints) {
      if (present.has(id)) continue
      this.#endpoints.delete(id)
      endpoint.retire()
    }
    for (const wake of this.#waiters) wake()
  }
}

/** The only instance may have been restarted: it is asked a second time, unless it is too busy already. */
function mayBeBack(reply: Reply | undefined): boolean {
  return reply !== undefined && !reply.ok && reply.problem.code !== 'overloaded'
}

function notBegun(call: Call, { refused: why, retryAfterMs }: NoAttempt): Reply {
  if (why === 'overloaded') {
    return refused('overloaded', call, `as many calls of ${call.contract} run as it can bear`, retryAfterMs)
  }
  const detail =
    why === 'breaker_open'
      ? `most calls of ${call.contract} failed just now`
      : `no instance of ${call.contract} is running`
  return refused('unavailable', call, detail, retryAfterMs)
}

function refused(code: PlatformCode, call: Call, detail: string, retryAfterMs?: number): Reply {
  const { traceId } = call.trace
  const extra = { detail, traceId, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { ok: false, problem: platformProblem(code, extra) }
}

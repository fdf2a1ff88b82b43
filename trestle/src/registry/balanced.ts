import type { Call, Reply, Transport } from '../call/call.ts'
import type { Instance, Registry } from '../call/instance.ts'
import { platformProblem } from '../call/problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { Clock } from '../std/clock.ts'
import { choose } from './choose.ts'
import { Endpoint, type InstanceTransport } from './endpoint.ts'
import { type RetryBudget, retryBudget } from './retry-budget.ts'

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
}

/** A service whose last instance left within this time may be restarting. */
const recentMs = 1_000
const retryPauseMs = 20
/** Calls that wait for an instance; beyond: `unavailable` at once. */
const waitersMax = 1_024

/** What is known of one contract: who serves it, and how many retries it may cost. */
interface Group {
  source: readonly Instance[]
  endpoints: readonly Endpoint[]
  readonly budget: RetryBudget
  /** Since when nobody serves it; `undefined`: somebody does, or never did. */
  emptySinceMs: number | undefined
}

/**
 * Sends each call to one of the instances that serve its contract, the less busy of two. A call that was certainly not
 * processed, or may be repeated, is tried on another instance within its deadline and the service's retry budget.
 * Answers `not_found` for a contract that the system does not have, `unavailable` when nobody serves it now.
 * @example balanced({ registry, open: (instance) => connectLink({ ... }), clock, random: Math.random })
 */
export function balanced(options: BalancedOptions): Transport {
  return new Balancer(options)
}

class Balancer implements Transport {
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
    if (group.endpoints.length === 0) await this.#appearance(group)
    group.budget.request()
    return this.#attempts(call, group)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopListening()
    for (const wake of this.#waiters) wake()
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()))
    this.#endpoints.clear()
    this.#groups.clear()
  }

  async #attempts(call: Call, group: Group): Promise<Reply> {
    const tried: Endpoint[] = []
    let reply: Reply | undefined
    for (let attempt = 1; ; attempt += 1) {
      const endpoint = choose(group.endpoints, tried, this.#options.random) ?? this.#again(group, tried, reply)
      if (endpoint === undefined || this.#closed) break
      if (tried.includes(endpoint)) await this.#pause(retryPauseMs)
      tried.push(endpoint)
      reply = await endpoint.send(call)
      if (!this.#mayRetry(call, reply, attempt) || !group.budget.take()) return reply
    }
    return reply ?? refused('unavailable', call, `no instance of ${call.contract} is running`, 1_000)
  }

  /** The only instance may have been restarted: it is asked a second time, unless it is too busy already. */
  #again(group: Group, tried: readonly Endpoint[], reply: Reply | undefined): Endpoint | undefined {
    if (tried.length !== 1 || reply === undefined || reply.ok || reply.problem.code === 'overloaded') return undefined
    return group.endpoints[0]
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
  async #appearance(group: Group): Promise<void> {
    const { clock, waitMaxMs = 200 } = this.#options
    const since = group.emptySinceMs
    if (since === undefined || clock.monotonic() - since > recentMs || this.#waiters.size >= waitersMax) return
    const endMs = clock.monotonic() + waitMaxMs
    while (group.endpoints.length === 0 && !this.#closed && clock.monotonic() < endMs) {
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
      const budget = retryBudget({ clock: this.#options.clock })
      group = { source: [], endpoints: [], budget, emptySinceMs: undefined }
      this.#groups.set(contract, group)
      this.#update(contract, group)
    }
    return group
  }

  #update(contract: string, group: Group): void {
    const source = this.#options.registry.instances(contract)
    if (source === group.source) return
    if (source.length > 0) group.emptySinceMs = undefined
    else if (group.endpoints.length > 0) group.emptySinceMs = this.#options.clock.monotonic()
    group.source = source
    group.endpoints = source.map((instance) => this.#endpoint(instance))
  }

  #endpoint(instance: Instance): Endpoint {
    let endpoint = this.#endpoints.get(instance.id)
    if (endpoint === undefined) {
      const { open, clock, random } = this.#options
      endpoint = new Endpoint(instance, open, clock, random)
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

function refused(code: PlatformCode, call: Call, detail: string, retryAfterMs?: number): Reply {
  const { traceId } = call.trace
  const extra = { detail, traceId, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { ok: false, problem: platformProblem(code, extra) }
}

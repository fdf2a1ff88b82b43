import { Breaker } from './breaker.ts'
import type { Attempt, Cluster, ClusterState, Member, NoAttempt, Outcome } from './cluster.ts'
import { ClusterMember, weightOf } from './cluster-member.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'
import { Ejection, type Verdict } from './ejection.ts'
import { OutcomeWindow } from './outcome-window.ts'
import { type RetryBudget, retryBudget } from './retry-budget.ts'
import { Selection } from './selection.ts'

/** What an outcome says of the question whether it is worth asking at all. */
const forBreaker = {
  ok: 'ok',
  faulty: 'ok',
  failed: 'failed',
  unreachable: 'failed',
  overloaded: undefined,
  abandoned: undefined,
} as const

/** One that says again and again that it has too much to do is taken to be this slow at most: else it stays forgotten. */
const pushedBackMaxMs = 1_000

const none: readonly string[] = Object.freeze([])

/**
 * Makes a cluster: chooses who is asked, learns from how it ends, and holds back where asking is of no use. No timers:
 * everything is decided when a request begins or ends. Each part has defaults and can be switched off with `false`.
 * @example const cluster = createCluster<Target>({ clock, random: Math.random })
 *   cluster.replace(targets.map((target) => ({ id: target.url, target })))
 *   const attempt = cluster.begin()
 *   if ('refused' in attempt) return refuse(attempt)
 *   attempt.end(await ask(attempt.target))
 */
export function createCluster<T>(options: ClusterOptions<T>): Cluster<T> {
  return new LearningCluster(options)
}

class LearningCluster<T> implements Cluster<T> {
  readonly #options: ClusterOptions<T>
  readonly #members = new Map<string, ClusterMember<T>>()
  readonly #selection: Selection<T>
  readonly #recent = new OutcomeWindow()
  readonly #breaker: Breaker | undefined
  readonly #ejection: Ejection | undefined
  readonly #limit: ConcurrencyLimit | undefined
  readonly #budget: RetryBudget | undefined
  readonly #decayMs: number
  #inFlight = 0
  /** When the next ejected one comes back. */
  #nextReturnMs = Number.POSITIVE_INFINITY

  constructor(options: ClusterOptions<T>) {
    const {
      clock,
      random,
      isReady,
      latency = {},
      breaker = {},
      ejection = {},
      concurrency = {},
      retries = {},
    } = options
    this.#options = options
    this.#decayMs = latency === false ? 10_000 : (latency.decayMs ?? 10_000)
    const floorMs = latency === false ? undefined : (latency.floorMs ?? 1)
    this.#selection = new Selection({ random, floorMs, isReady })
    const onBreaker = (state: Breaker['state']) => this.#options.onEvent?.({ kind: 'breaker', state })
    this.#breaker = breaker === false ? undefined : new Breaker(breaker, onBreaker)
    this.#ejection = ejection === false ? undefined : new Ejection(ejection, random)
    this.#limit = concurrency === false ? undefined : new ConcurrencyLimit(concurrency)
    this.#budget = retries === false ? undefined : retryBudget({ clock, ...retries })
  }

  replace(members: readonly Member<T>[]): void {
    const ids = new Set(members.map((member) => member.id))
    if (ids.size < members.length) throw new Error('two members of a cluster have the same id')
    for (const id of this.#members.keys()) if (!ids.has(id)) this.#members.delete(id)
    let isNew = false
    for (const member of members) {
      const known = this.#members.get(member.id)
      if (known !== undefined) {
        known.target = member.target
        known.weight = weightOf(member)
        continue
      }
      isNew = true
      this.#members.set(member.id, new ClusterMember(member, this.#decayMs, this.#options.clock.monotonic()))
    }
    // What the others did says nothing of a new one.
    if (isNew) this.#breaker?.close()
    this.#sort()
  }

  begin(tried: readonly string[] = none): Attempt<T> | NoAttempt {
    const nowMs = this.#options.clock.monotonic()
    if (tried.length === 0) this.#budget?.request()
    if (nowMs >= this.#nextReturnMs) this.#return(nowMs)
    const waitMs = this.#breaker?.refusesForMs(nowMs) ?? 0
    if (waitMs > 0) return { refused: 'breaker_open', retryAfterMs: Math.ceil(waitMs) }
    if (this.#limit !== undefined && !this.#limit.admits(this.#inFlight)) {
      return { refused: 'overloaded', retryAfterMs: this.#limit.retryAfterMs }
    }
    const member = this.#selection.choose(tried, nowMs)
    if (member === undefined) return { refused: 'no_member', retryAfterMs: 1_000 }
    this.#breaker?.began()
    this.#inFlight += 1
    member.inFlight += 1
    member.waits(nowMs)
    return new RunningAttempt(this, member, nowMs, this.#breaker?.epoch ?? 0)
  }

  mayRetry(): boolean {
    return this.#budget?.take() ?? false
  }

  checked(id: string, healthy: boolean, reason = 'the active check failed'): void {
    const member = this.#members.get(id)
    if (member === undefined || member.isHealthy === healthy) return
    member.isHealthy = healthy
    if (healthy) this.#options.onEvent?.({ kind: 'healthy', id })
    else {
      member.lastEjection = { reason, atMs: this.#options.clock.now() }
      this.#options.onEvent?.({ kind: 'unhealthy', id, reason })
    }
    this.#sort()
  }

  state(): ClusterState {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs >= this.#nextReturnMs) this.#return(nowMs)
    return {
      breaker: this.#breaker?.state ?? 'closed',
      inFlight: this.#inFlight,
      concurrencyLimit: this.#limit === undefined ? undefined : Math.floor(this.#limit.limit),
      members: [...this.#members.values()].map((member) => member.state(nowMs)),
    }
  }

  get nowMs(): number {
    return this.#options.clock.monotonic()
  }

  /** What a finished attempt tells. */
  learn(member: ClusterMember<T>, outcome: Outcome, startMs: number, epoch: number): void {
    const nowMs = this.#options.clock.monotonic()
    const latencyMs = nowMs - startMs
    this.#inFlight -= 1
    member.inFlight -= 1
    member.waitsNoMore(startMs)
    const wasOnTrial = member.passive !== 'well'
    const isFailure = outcome === 'failed' || outcome === 'unreachable' || outcome === 'faulty'
    if (outcome === 'ok') this.#succeeded(member, latencyMs, nowMs)
    else if (isFailure) this.#failed(member, outcome, latencyMs, nowMs)
    else this.#said(member, outcome, latencyMs, nowMs)
    // Of one that is on trial itself a failure says nothing of the others: it would keep them from being asked.
    this.#breaker?.ended(epoch, isFailure && wasOnTrial ? undefined : forBreaker[outcome], nowMs)
  }

  #succeeded(member: ClusterMember<T>, latencyMs: number, nowMs: number): void {
    member.requests += 1
    member.failuresInRow = 0
    member.recent.add(nowMs, false)
    this.#recent.add(nowMs, false)
    member.latency.observe(latencyMs, nowMs)
    this.#limit?.observe(latencyMs, false, nowMs)
    if (member.passive !== 'probation') return
    member.probationLeft -= 1
    if (member.probationLeft <= 0) this.#isWell(member, nowMs)
  }

  #failed(member: ClusterMember<T>, outcome: Outcome, latencyMs: number, nowMs: number): void {
    member.requests += 1
    member.failures += 1
    member.failuresInRow += 1
    member.recent.add(nowMs, true)
    this.#recent.add(nowMs, true)
    // One that fails at once must not look quick.
    if (latencyMs > member.latency.at(nowMs)) member.latency.observe(latencyMs, nowMs)
    if (outcome !== 'unreachable') this.#limit?.observe(latencyMs, true, nowMs)
    if (member.passive === 'ejected' || !this.#mayEject()) return
    const verdict = this.#ejection?.judge(member, outcome === 'unreachable', this.#recent, nowMs)
    if (verdict !== undefined) this.#eject(member, verdict, nowMs)
  }

  /** It has too much to do, or the caller went away: how long that took may still say something. */
  #said(member: ClusterMember<T>, outcome: Outcome, latencyMs: number, nowMs: number): void {
    const knownMs = member.latency.at(nowMs)
    if (outcome === 'overloaded') {
      member.requests += 1
      this.#limit?.pushedBack()
      member.latency.observe(Math.max(latencyMs, Math.min(pushedBackMaxMs, Math.max(knownMs * 2, 1))), nowMs)
    } else if (latencyMs > knownMs) member.latency.observe(latencyMs, nowMs)
  }

  /** Never more than half are left alone, those that active checks took out included. */
  #mayEject(): boolean {
    let out = 1
    for (const member of this.#members.values()) if (member.passive === 'ejected' || !member.isHealthy) out += 1
    return out <= this.#members.size / 2
  }

  #eject(member: ClusterMember<T>, { reason, forMs, probation }: Verdict, nowMs: number): void {
    member.passive = 'ejected'
    member.ejectedUntilMs = nowMs + forMs
    member.probationLeft = probation
    member.probationLength = probation
    member.lastEjection = { reason, atMs: this.#options.clock.now() }
    this.#options.onEvent?.({ kind: 'ejected', id: member.id, reason, forMs })
    this.#sort()
  }

  #return(nowMs: number): void {
    for (const member of this.#members.values()) {
      if (member.passive !== 'ejected' || nowMs < member.ejectedUntilMs) continue
      member.passive = 'probation'
      member.failuresInRow = 0
      member.recent.clear()
      // Its first request comes at once, so that a quiet cluster finds out too.
      member.credit = 1
    }
    this.#sort()
  }

  #isWell(member: ClusterMember<T>, nowMs: number): void {
    member.passive = 'well'
    member.wellSinceMs = nowMs
    // A member that could not be reached and can be again is no worse than before.
    if (member.probationLength === 1) member.ejections = 0
    this.#options.onEvent?.({ kind: 'returned', id: member.id })
    this.#sort()
  }

  #sort(): void {
    this.#selection.update(this.#members.values())
    this.#nextReturnMs = Number.POSITIVE_INFINITY
    for (const { passive, ejectedUntilMs } of this.#members.values()) {
      if (passive === 'ejected') this.#nextReturnMs = Math.min(this.#nextReturnMs, ejectedUntilMs)
    }
  }
}

class RunningAttempt<T> implements Attempt<T> {
  readonly id: string
  readonly target: T
  readonly #cluster: LearningCluster<T>
  readonly #epoch: number
  #startMs: number
  #waitsForClient = false
  #member: ClusterMember<T> | undefined

  constructor(cluster: LearningCluster<T>, member: ClusterMember<T>, startMs: number, epoch: number) {
    this.id = member.id
    this.target = member.target
    this.#cluster = cluster
    this.#member = member
    this.#startMs = startMs
    this.#epoch = epoch
  }

  end(outcome: Outcome): void {
    const member = this.#member
    // Counted once, whatever a caller does.
    if (member === undefined) return
    this.waitFor('member')
    this.#member = undefined
    this.#cluster.learn(member, outcome, this.#startMs, this.#epoch)
  }

  waitFor(whom: 'client' | 'member'): void {
    const member = this.#member
    if (member === undefined || this.#waitsForClient === (whom === 'client')) return
    this.#waitsForClient = whom === 'client'
    if (this.#waitsForClient) return member.waitsNoMore(this.#startMs)
    this.#startMs = this.#cluster.nowMs
    member.waits(this.#startMs)
  }
}

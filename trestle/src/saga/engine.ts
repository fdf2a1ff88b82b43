import type { Handle } from '../call/call.ts'
import type { Clock, Timer } from '../std/clock.ts'
import { crashPoint } from '../std/crash-points.ts'
import { Seldom } from '../std/seldom.ts'
import type { Store } from '../store/store.ts'
import { codeOf, isFromServer } from '../store/connection/pg-failure.ts'
import type { StoreLog } from '../store/index.ts'
import { storeErrors } from '../store/store-error.ts'
import type { SagaSpec } from './define-saga.ts'
import type { Instance } from './instance.ts'
import { instanceOf } from './instance-of.ts'
import { Journal, UnwritableError } from './journal.ts'
import { Ownership } from './ownership.ts'
import { retryStuck, wakeAfterClockJump } from './recover.ts'
import { describe } from './outcome.ts'
import type { Failure } from './saga.ts'
import type { SagaMetrics } from './saga-metrics.ts'
import { count, forget } from './upkeep.ts'
import { type RunDeps, runInstance } from './run-instance.ts'
import { type Callers, callersOf } from './step-args.ts'

/** How an engine works. */
export interface SagaLimits {
  /** Instances that one engine works on at once; default 256. */
  readonly runningMax: number
  /** An engine that has not been heard of for so long is taken for dead; default 10,000. */
  readonly leaseMs: number
  /** How often it looks for what has become due; default 500. */
  readonly pollMs: number
  /** First wait after a try of which nobody knows what became of it, at most; default 100. */
  readonly retryBaseMs: number
  /** Every later wait, at most; default 60,000. */
  readonly retryMaxMs: number
  /** A wait up to this long is waited out in memory; default 2,000. */
  readonly holdMaxMs: number
  /** How long one try of a step may take before it is taken for hung; default 3,600,000, the longest that a call may take. */
  readonly tryMaxMs: number
  /** How long an undo is repeated before its instance is stuck; default 900,000. */
  readonly undoTimeoutMs: number
  /** How long what is under way may still take when the engine closes; default 2,000. */
  readonly closeTimeoutMs: number
  /** How long what has ended is remembered, and its key taken; default 30 days. */
  readonly keepEndedMs: number
  /** How long events and cancellations are kept for instances that have not begun; default 7 days. */
  readonly keepEarlyMs: number
}

export const defaultLimits: SagaLimits = {
  runningMax: 256,
  leaseMs: 10_000,
  pollMs: 500,
  retryBaseMs: 100,
  retryMaxMs: 60_000,
  holdMaxMs: 2_000,
  tryMaxMs: 3_600_000,
  undoTimeoutMs: 900_000,
  closeTimeoutMs: 2_000,
  keepEndedMs: 30 * 86_400_000,
  keepEarlyMs: 7 * 86_400_000,
}

/** What an engine takes from outside. */
export interface EngineDeps {
  /** In whose name steps call. */
  readonly service: string
  readonly store: Store<unknown>
  readonly send: Handle
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  /** A UUID version 7. */
  readonly newId: () => string
  readonly log: StoreLog
  readonly limits: SagaLimits
  readonly metrics: SagaMetrics
}

/** Takes instances as far as they go. Any number of engines may work over one database. */
export class Engine {
  readonly #deps: EngineDeps
  readonly #specs: readonly SagaSpec[]
  readonly #ownership: Ownership
  readonly #run: RunDeps
  readonly #stopping = new AbortController()
  readonly #cut = new AbortController()
  readonly #held = new Map<string, Promise<void>>()
  readonly #callers: Map<SagaSpec, Callers>
  readonly #timers = new Set<Timer>()
  #claiming: Promise<void> | undefined
  #claimAgain = false
  #unheld: readonly string[] = []
  #wallAhead: number
  readonly #troubles: Seldom
  #asleep = 0
  #started: Promise<void> | undefined
  #beats: (() => void)[] = []
  readonly #listeners: (() => void)[] = []

  constructor(specs: readonly SagaSpec[], deps: EngineDeps) {
    this.#deps = deps
    this.#specs = specs
    this.#ownership = new Ownership({ ...deps, leaseMs: deps.limits.leaseMs })
    this.#callers = new Map(
      specs.flatMap((spec) => [spec, ...spec.earlier]).map((spec) => [spec, callersOf(spec, deps)]),
    )
    this.#wallAhead = deps.clock.now() - deps.clock.monotonic()
    this.#troubles = new Seldom(deps.clock, troubleSaidMs)
    const onFailure = (error: unknown) => this.#trouble('saga.journal', error)
    this.#run = {
      ...deps,
      journal: new Journal({ ...deps, signal: this.#cut.signal, onFailure }),
      callersFor: ({ spec }) => this.#callers.get(spec) as Callers,
      stopping: this.#stopping.signal,
      cut: this.#cut.signal,
      onEnded: ({ spec }, outcome) => deps.metrics.ended(spec.name, outcome),
      onStuck: (instance, why) => this.#sayStuck(instance, why),
      onAsleep: (by) => {
        this.#asleep += by
        if (by === 1) this.#quieter()
      },
      hold: (instance) => this.#hold(instance),
    }
  }

  /** Begins to work. Resolves at once; a database that is away is asked again. */
  start(): void {
    this.#started = this.#try('saga.start', async () => {
      await this.#ownership.beat()
      await retryStuck(this.#deps.store, this.#specs, this.#deps.clock.now())
      await wakeAfterClockJump(this.#deps.store, this.#deps.clock.now(), this.#deps.limits.retryMaxMs)
      this.wake()
    })
    this.#every(this.#deps.limits.leaseMs / 5, () => this.#beat())
    this.#every(this.#deps.limits.pollMs, async () => this.wake())
    this.#every(tidyMs, () => this.#tidy())
  }

  /** The owner of what is begun here; `undefined`: it has as much as it can hold, or is not certain to be alive. */
  get owner(): string | undefined {
    const full = this.#held.size >= this.#deps.limits.runningMax
    return full || this.#stopping.signal.aborted ? undefined : this.#ownership.owner
  }

  /** Instances in hand whose step is about to be tried again. */
  get asleep(): number {
    return this.#asleep
  }

  /** Instances have begun, and it is certain. */
  begin(instances: readonly Instance[]): void {
    crashPoint('saga.after-start-commit')
    const [first] = instances
    if (first !== undefined) this.#deps.metrics.started(first.spec.name, instances.length)
    const owned = instances.filter(({ owner }) => owner !== undefined)
    this.take(owned)
    if (owned.length < instances.length) this.wake()
  }

  /** Goes on with instances that this engine owns. */
  take(instances: readonly Instance[]): void {
    if (this.#stopping.signal.aborted) return
    for (const instance of instances) {
      // Turned round while it is in hand, it comes again before the run that has lost it has noticed.
      const before = this.#held.get(instance.id)
      const run = before === undefined ? this.#work(instance) : before.then(() => this.#work(instance))
      this.#held.set(instance.id, run)
      void run.finally(() => this.#letGo(instance.id, run))
    }
  }

  /** Something may have become due. */
  wake(): void {
    if (this.#stopping.signal.aborted) return
    this.#claimAgain = true
    this.#claiming ??= this.#try('saga.claim', () => this.#claim()).finally(() => {
      this.#claiming = undefined
    })
  }

  /** Resolves when nothing is under way and nothing is due: what is left waits for time or for events. */
  async settled(): Promise<void> {
    await this.#started
    while (!this.#stopping.signal.aborted) {
      if (this.#ownership.owner === undefined) await this.#beat()
      this.wake()
      await this.#claiming
      if (this.#held.size <= this.#asleep) return
      await new Promise<void>((resolve) => this.#listeners.push(resolve))
    }
  }

  #quieter(): void {
    for (const listener of this.#listeners.splice(0)) listener()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    for (const told of this.#beats.splice(0)) told()
    for (const timer of this.#timers) timer.cancel()
    const { clock, limits } = this.#deps
    const cut = clock.setTimeout(() => this.#cut.abort(), limits.closeTimeoutMs)
    await this.#claiming
    await Promise.all(this.#held.values())
    cut.cancel()
    this.#cut.abort()
    await this.#ownership.leave().catch(() => undefined)
  }

  async #hold({ owner }: Instance): Promise<boolean> {
    while (!this.#stopping.signal.aborted && owner === this.#ownership.name) {
      if (this.#ownership.owner !== undefined) return true
      // It was held up, by a debugger or by its machine: it asks at once whether it was taken for dead.
      const told = new Promise<void>((resolve) => this.#beats.push(resolve))
      void this.#try('saga.beat', () => this.#beat())
      await told
    }
    return false
  }

  async #claim(): Promise<void> {
    while (this.#claimAgain && !this.#stopping.signal.aborted) {
      this.#claimAgain = false
      const free = this.#deps.limits.runningMax - this.#held.size
      const claimed = await this.#ownership.claim(this.#specs, Math.min(free, claimMax))
      this.take(claimed)
      if (claimed.length === claimMax) this.#claimAgain = true
    }
  }

  #letGo(id: string, run: Promise<void>): void {
    const wasFull = this.#held.size >= this.#deps.limits.runningMax
    if (this.#held.get(id) === run) this.#held.delete(id)
    this.#quieter()
    if (wasFull) this.wake()
  }

  async #work(instance: Instance): Promise<void> {
    let current: Instance | undefined = instance
    try {
      while (current !== undefined) {
        const written = await runInstance(current, this.#run)
        // Nothing was written, and nobody has taken it: an answer was lost, and the row says where it stands.
        current = written === 'lost' ? await instanceOf(this.#deps.store, current) : undefined
      }
    } catch (error) {
      // With a database that is away it is found again as something that is owned and not held.
      if (isStoreFailure(error)) this.#trouble('saga.read', error)
      else await this.#giveUp(current ?? instance, error)
    }
  }

  /**
   * What cannot be run at all, because its event cannot be read, a step is not there, or what it has to say cannot be kept,
   * waits for other code.
   */
  async #giveUp(instance: Instance, error: unknown): Promise<void> {
    const { place, migratedFrom, spec } = instance
    const at = this.#deps.clock.now()
    const detail = error instanceof UnwritableError ? `${error.message}: ${describe(error.cause)}` : describe(error)
    const failure = { step: place.step ?? '', code: 'cannot_run', detail, details: undefined }
    const text = JSON.stringify(failure)
    const { tries, beganAt } = place
    const entry = { step: place.step, action: 'stuck', outcome: 'failed', error: text, tries, beganAt, at } as const
    const move = { place: { ...place, state: 'stuck' as const }, keep: false }
    // One that was not migrated keeps its version: its step is one of that.
    const version = migratedFrom ?? spec.version
    const said = this.#run.journal.write({ instance, entries: [entry], move, version, lastError: text })
    // Not even that can be written: it is found again as something that is owned and not held.
    const written = await said.catch(() => 'lost')
    if (written !== 'lost') this.#sayStuck(instance, failure)
  }

  #sayStuck({ spec, id, key }: Instance, { step, code, detail }: Failure): void {
    this.#deps.metrics.stuck(spec.name)
    this.#deps.log.error(
      { saga: spec.name, instance: id, key, step, code, detail },
      `saga ${spec.name} is stuck: ${code}`,
    )
  }

  async #tidy(): Promise<void> {
    const { store, clock, limits, metrics } = this.#deps
    await count(store, this.#specs, clock.now(), metrics)
    await forget(store, clock.now(), { ...limits, signal: this.#stopping.signal })
  }

  async #beat(): Promise<void> {
    const { store, clock, limits } = this.#deps
    const alive = await this.#ownership.beat()
    for (const told of this.#beats.splice(0)) told()
    if (!alive) this.#deps.log.warn({}, 'this engine was taken for dead; what it was doing others do')
    this.#unheld = await this.#ownership.freeUnheld([...this.#held.keys()], this.#unheld)
    if ((await this.#ownership.takeOver()) > 0) this.wake()
    const ahead = clock.now() - clock.monotonic()
    if (ahead < this.#wallAhead - clockJumpMs) await wakeAfterClockJump(store, clock.now(), limits.retryMaxMs)
    this.#wallAhead = ahead
  }

  #every(ms: number, work: () => Promise<void>): void {
    const { clock } = this.#deps
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer)
      void this.#try('saga.upkeep', work).finally(() => {
        if (!this.#stopping.signal.aborted) this.#every(ms, work)
      })
    }, ms)
    this.#timers.add(timer)
  }

  /** What fails is tried again at the next opportunity. */
  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#trouble(what, error)
    }
  }

  /** A database that is away, full or closed to us is counted each time, and said once in a while. */
  #trouble(what: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#deps.metrics.failed(what)
    const unsaid = this.#troubles.again(what)
    if (unsaid !== undefined) this.#deps.log.warn({ err: error, unsaid }, `sagas wait for the database (${what})`)
  }
}

/** The database, and nothing that an instance brings with it. */
function isStoreFailure(error: unknown): boolean {
  return isFromServer(error) || Object.hasOwn(storeErrors, codeOf(error) ?? '')
}

/** One and the same trouble is said once in this time, milliseconds. */
const troubleSaidMs = 60_000
/** How often it counts, and forgets, milliseconds. */
const tidyMs = 15_000
/** Instances claimed with one statement. */
const claimMax = 100
/** A wall clock that goes back by more than this was put back, milliseconds. */
const clockJumpMs = 1_000

import { backoffMs } from '../std/backoff.ts'
import type { Clock } from '../std/clock.ts'
import { crashPoint } from '../std/crash-points.ts'
import type { Store } from '../store/store.ts'
import type { StepSpec } from './define-saga.ts'
import { eventId, type Instance, indexOfStep, type Place } from './instance.ts'
import { type Entry, type Journal, LostInstance, type Transition, type Written, writeWithin } from './journal.ts'
import { describe, doneWith, failedWith, failureOf, type Outcome } from './outcome.ts'
import { afterCurrent, migratedPlace, type Move, undoFrom } from './place.ts'
import { limited } from './limited.ts'
import { readResults } from './read-results.ts'
import { openEvent } from './sealed-event.ts'
import { SagaFailure, fail } from './saga-failure.ts'
import type { Failure } from './saga.ts'
import { type Callers, stepArgs, workOf } from './step-args.ts'

/** What running an instance needs of the engine. */
export interface RunDeps {
  readonly service: string
  readonly store: Store<unknown>
  readonly journal: Journal
  readonly clock: Clock
  readonly random: () => number
  readonly callersFor: (instance: Instance) => Callers
  /** Aborts when the engine stops: nothing new is begun, what waits is let go. */
  readonly stopping: AbortSignal
  /** Aborts when the calls under way have had their time. */
  readonly cut: AbortSignal
  /**
   * Resolves when this engine is certain to be taken for alive: without that it must not call. `false`: it is not the
   * instance's owner any more, or stops.
   */
  readonly hold: (instance: Instance) => Promise<boolean>
  /** One more, or one fewer, of those in hand waits for time. */
  readonly onAsleep: (by: 1 | -1) => void
  readonly onEnded: (instance: Instance, outcome: 'done' | 'undone') => void
  readonly onStuck: (instance: Instance, why: Failure) => void
  readonly limits: RunLimits
}

export interface RunLimits {
  /** First wait of a step whose outcome is unknown, at most. */
  readonly retryBaseMs: number
  /** Every wait, at most. */
  readonly retryMaxMs: number
  /** A wait up to this length is waited out in memory; a longer one is written down, and the place given to others. */
  readonly holdMaxMs: number
  /** How long one try of a step that calls may take. */
  readonly tryMaxMs: number
  /** For how long an undo that fails is repeated before the instance is stuck. */
  readonly undoTimeoutMs: number
}

type CallStep = Extract<StepSpec, { kind: 'call' }>
type WriteStep = Extract<StepSpec, { kind: 'write' }>

/**
 * Takes an instance as far as it goes now: to its end, to something that it waits for, or until it is another's.
 * `kept`: it was left in the middle because the engine stops.
 */
export async function runInstance(instance: Instance, deps: RunDeps): Promise<Written> {
  const run = new Run(instance, deps)
  for (;;) {
    if (!(await deps.hold(instance))) return 'kept'
    const written = await run.step()
    if (written !== 'kept') return written
  }
}

class Run {
  readonly #instance: Instance
  readonly #deps: RunDeps
  /** When this engine began with the current step, on the clock that does not jump. */
  #since = { beganAt: Number.NaN, monotonic: 0 }

  constructor(instance: Instance, deps: RunDeps) {
    this.#instance = instance
    this.#deps = deps
  }

  async step(): Promise<Written> {
    const { spec, place } = this.#instance
    if (this.#since.beganAt !== place.beganAt) {
      this.#since = { beganAt: place.beganAt, monotonic: this.#deps.clock.monotonic() }
    }
    if (this.#instance.migratedFrom !== undefined) return this.#migrate(this.#instance.migratedFrom)
    if (place.step === undefined) {
      return place.undoing ? this.#write(undefined) : this.#move(afterCurrent(this.#instance, this.#now()), [])
    }
    const index = indexOfStep(spec, place.step)
    const step = spec.steps[index] as StepSpec
    if (place.undoing && (step.kind === 'wait' || step.undo === undefined)) {
      return this.#move(undoFrom(spec, index - 1, this.#now()), [])
    }
    if (step.kind === 'wait') return this.#wait(step, index)
    if (step.kind === 'write') return this.#write(step)
    return this.#call(step, index)
  }

  /** It began under a version that is not kept: it goes on where this one says. */
  async #migrate(from: number): Promise<Written> {
    const instance = this.#instance
    const result = JSON.stringify({ from, to: instance.spec.version })
    const entry = this.#entry('migrate', 'done', { result })
    const written = await this.#move({ place: migratedPlace(instance), keep: true }, [entry])
    instance.migratedFrom = undefined
    return written
  }

  // --- steps that call

  async #call(step: CallStep, index: number): Promise<Written> {
    const { place } = this.#instance
    await this.#needResults()
    const outcome = await this.#tryCall(step)
    if (outcome.kind === 'done') {
      const entry = this.#entry(place.undoing ? 'undo' : 'run', 'done', { result: outcome.json })
      if (!place.undoing) (this.#instance.results as Record<string, unknown>)[step.name] = outcome.value
      return this.#goOn(entry)
    }
    if (outcome.kind === 'unknown') return this.#again(step, index, outcome)
    return this.#failed(step, index, outcome)
  }

  async #tryCall(step: CallStep): Promise<Outcome> {
    const { instance, deps } = { instance: this.#instance, deps: this.#deps }
    const limit = limited({ clock: deps.clock, cut: deps.cut, limitMs: deps.limits.tryMaxMs })
    const { args, calls } = stepArgs(instance, deps.callersFor(instance), deps.service, limit.signal)
    const work = instance.place.undoing ? step.undo : step.run
    crashPoint('saga.before-step')
    try {
      const value = await limit.run(async () => work?.(args))
      crashPoint('saga.after-step')
      return instance.place.undoing ? { kind: 'done', value: undefined, json: undefined } : doneWith(step.name, value)
    } catch (error) {
      crashPoint('saga.after-step')
      return failedWith(step.name, error, calls())
    }
  }

  /** Writes down that a step is done; what comes next and writes here, too, does so in the same transaction. */
  async #goOn(entry: Entry): Promise<Written> {
    const instance = this.#instance
    const move = afterCurrent(instance, this.#now())
    const next =
      move.place.step === undefined ? undefined : instance.spec.steps[indexOfStep(instance.spec, move.place.step)]
    const endsWriting = move.place.undoing && move.place.step === undefined && move.keep
    if (next?.kind !== 'write' && !endsWriting) return this.#move(move, [entry])
    const before = instance.place
    instance.place = move.place
    const written = await this.#tryWrite(next?.kind === 'write' ? next : undefined, [entry])
    if (typeof written === 'string') return written
    instance.place = before
    return this.#move(move, [entry])
  }

  async #failed(step: CallStep, index: number, outcome: Extract<Outcome, { kind: 'failed' }>): Promise<Written> {
    const { place } = this.#instance
    const { failure, declared } = outcome
    const perhapsRan = outcome.perhapsRan || place.tries > 0
    if (place.undoing) {
      return declared ? this.#stuck(failure, 'anew') : this.#again(step, index, { error: failure.code, waitMs: 0 })
    }
    if (!place.pastPivot) return this.#turn(failure, perhapsRan ? index : index - 1, 'failed')
    // Past it nothing can be taken back. At it, only a failure that its callee declares says that nothing has happened.
    if (step.pivot && declared && !outcome.perhapsRan) return this.#turn(failure, index - 1, 'failed')
    if (declared) return this.#stuck(failure, 'anew')
    return this.#again(step, index, { error: [failure.code, failure.detail].filter(Boolean).join(': '), waitMs: 0 })
  }

  // --- what is tried again

  /** Nobody knows what became of it: under the same key again, after a wait, as long as it may take. */
  async #again(
    step: CallStep | WriteStep | undefined,
    index: number,
    { error, waitMs }: { error: string; waitMs: number },
  ): Promise<Written> {
    const { clock, random, limits, stopping } = this.#deps
    const instance = this.#instance
    const { place } = instance
    const now = this.#now()
    const tries = place.tries + 1
    instance.place = { ...place, tries }
    const forMs = this.#forMs(place)
    if (place.undoing && forMs >= limits.undoTimeoutMs) {
      const failure = { step: place.step ?? '', code: 'undo_failed', detail: error, details: undefined }
      return this.#stuck(failure, 'same')
    }
    const timeoutMs =
      step === undefined || place.undoing || place.pastPivot ? Number.POSITIVE_INFINITY : timeoutOf(step)
    if (forMs >= timeoutMs) {
      const failure = { step: place.step ?? '', code: 'timed_out', detail: error, details: undefined }
      return this.#turn(failure, step?.kind === 'write' ? index - 1 : index, 'timed_out')
    }
    const jittered = backoffMs(place.tries, { baseMs: limits.retryBaseMs, maxMs: limits.retryMaxMs, random })
    const wait = Math.min(Math.max(jittered, waitMs), Math.max(1, timeoutMs - forMs), limits.retryMaxMs)
    if (wait > limits.holdMaxMs) {
      return this.#move(
        { place: { ...instance.place, spentMs: Math.min(forMs + wait, spentMostMs) }, dueAt: now + wait, keep: false },
        [],
        { lastError: error },
      )
    }
    this.#deps.onAsleep(1)
    await sleep(clock, wait, stopping)
    this.#deps.onAsleep(-1)
    return 'kept'
  }

  /** How long the step has been going on. A wall clock that was put back does not make it longer. */
  #forMs({ beganAt, spentMs }: Place): number {
    return Math.max(this.#now() - beganAt, spentMs + this.#deps.clock.monotonic() - this.#since.monotonic)
  }

  // --- waiting for events

  async #wait(step: Extract<StepSpec, { kind: 'wait' }>, index: number): Promise<Written> {
    const instance = this.#instance
    const { place } = instance
    const event = eventId(step.event)
    const came = instance.arrivals[event]
    if (place.state === 'waiting' && came !== undefined) {
      await this.#needResults()
      ;(instance.results as Record<string, unknown>)[step.name] = openEvent(step.event, came)
      return this.#goOn(this.#entry('wait', 'done', { result: came }))
    }
    const now = this.#now()
    const dueAt = place.beganAt + step.timeoutMs
    if (place.state === 'waiting' && now >= dueAt) {
      const failure = { step: step.name, code: 'timed_out', detail: undefined, details: undefined }
      if (place.pastPivot) return this.#stuck(failure, 'same', { unlessArrived: event })
      return this.#turn(failure, index - 1, 'timed_out', { unlessArrived: event })
    }
    const waiting: Place = { ...place, state: 'waiting', tries: 0 }
    return this.#move({ place: waiting, dueAt, keep: false, awaits: event }, [])
  }

  // --- steps that write

  async #write(step: WriteStep | undefined): Promise<Written> {
    const instance = this.#instance
    const { place, spec } = instance
    await this.#needResults()
    const written = await this.#tryWrite(step, [])
    if (typeof written === 'string') return written
    const { error } = written
    const index = step === undefined ? -1 : indexOfStep(spec, step.name)
    if (error instanceof SagaFailure && !place.undoing && step !== undefined) {
      const failure = failureOf(step.name, error)
      return place.pastPivot ? this.#stuck(failure, 'anew') : this.#turn(failure, index - 1, 'failed')
    }
    return this.#again(step, index, { error: describe(error), waitMs: 0 })
  }

  /**
   * Writes in the transaction that also says so in the journal, after the lines that are not there yet. Without a step it is
   * the last word of a saga that was undone.
   */
  async #tryWrite(
    step: WriteStep | undefined,
    before: readonly Entry[],
  ): Promise<Written | { readonly error: unknown }> {
    const instance = this.#instance
    const { undoing } = instance.place
    const transition: Transition = { instance, entries: before, move: afterCurrent(instance, this.#now()) }
    let result: unknown
    try {
      crashPoint('saga.before-write')
      const settle = await this.#deps.store.transaction((tx) =>
        writeWithin(tx, transition, async () => {
          const done = doneWith(step?.name ?? '', await this.#work(step, tx))
          if (done.kind !== 'done')
            throw new Error('the result of a step that writes cannot be kept: give back less, or nothing')
          result = done.value
          const action = step === undefined ? 'end' : undoing ? 'undo' : 'write'
          return this.#entry(action, 'done', { result: undoing ? undefined : done.json })
        }),
      )
      crashPoint('saga.after-write')
      if (step !== undefined && !undoing) (instance.results as Record<string, unknown>)[step.name] = result
      return this.#settled(settle(), transition.move)
    } catch (error) {
      return error instanceof LostInstance ? 'lost' : { error }
    }
  }

  #work(step: WriteStep | undefined, tx: unknown): Promise<unknown> {
    const { event, spec, place, results, failure } = this.#instance
    const { newId, now } = workOf(this.#instance)
    const common = { event, tx, newId, now }
    if (step === undefined) return spec.whenUndone?.({ ...common, failure } as never) ?? Promise.resolve()
    if (place.undoing) return step.undo?.(common) ?? Promise.resolve()
    return step.run({ ...common, results, fail })
  }

  // --- the journal

  async #turn(
    failure: Failure,
    from: number,
    outcome: 'failed' | 'timed_out',
    more: Partial<Transition> = {},
  ): Promise<Written> {
    const { spec, place } = this.#instance
    const error = JSON.stringify(failure)
    const step = place.step === undefined ? undefined : spec.steps[indexOfStep(spec, place.step)]
    const action = step?.kind === 'call' ? 'run' : (step?.kind ?? 'end')
    const entry = this.#entry(action, outcome, { error })
    this.#instance.failure = failure
    return this.#move(undoFrom(spec, from, this.#now()), [entry], { ...more, failure: error })
  }

  /** Nothing can be done but by people, or by other code. `anew`: under keys of its own, because the failure is certain. */
  async #stuck(failure: Failure, again: 'anew' | 'same', more: Partial<Transition> = {}): Promise<Written> {
    const instance = this.#instance
    const { place } = instance
    const error = JSON.stringify(failure)
    const round = again === 'anew' ? place.round + 1 : place.round
    const move: Move = { place: { ...place, state: 'stuck', round }, keep: false }
    const written = await this.#move(move, [this.#entry('stuck', 'failed', { error })], { ...more, lastError: error })
    if (written === 'let_go') this.#deps.onStuck(instance, failure)
    return written
  }

  async #move(move: Move, entries: readonly Entry[], more: Partial<Transition> = {}): Promise<Written> {
    const written = await this.#deps.journal.write({ instance: this.#instance, entries, move, ...more })
    return this.#settled(written, move)
  }

  #settled(written: Written, move: Move): Written {
    const { state } = move.place
    if (written !== 'lost' && (state === 'done' || state === 'undone')) this.#deps.onEnded(this.#instance, state)
    return written
  }

  #entry(action: Entry['action'], outcome: Entry['outcome'], more: Pick<Entry, 'result' | 'error'>): Entry {
    const { step, tries, beganAt } = this.#instance.place
    return { step, action, outcome, tries, beganAt, at: this.#now(), ...more }
  }

  async #needResults(): Promise<void> {
    this.#instance.results ??= await readResults(this.#deps.store, this.#instance)
  }

  #now(): number {
    return this.#deps.clock.now()
  }
}

/** Kept as an integer of the database's. */
const spentMostMs = 2_000_000_000

function timeoutOf(step: CallStep | WriteStep): number {
  return step.kind === 'call' ? step.timeoutMs : 60_000
}

/** Waits, or less when `signal` aborts. */
function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

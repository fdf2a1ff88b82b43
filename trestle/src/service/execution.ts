import { cancelledByCaller, codeOfAbort, deadlinePassed } from '../call/abort-reason.ts'
import type { Effects } from '../call/call-context.ts'
import type { Call, Handle, Reply } from '../call/call.ts'
import { type ProblemExtra, platformProblem } from '../call/problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { Timer } from '../std/clock.ts'
import type { ConcurrencyLimiter } from '../std/concurrency-limiter.ts'
import type { BoundOperation } from './bound-operation.ts'
import { guardedWork } from './once/guarded-work.ts'
import { keyedWork } from './once/keyed-work.ts'
import { type Perform, plainWork } from './once/work.ts'
import { place, problemOfError } from './problem-of-error.ts'
import { readInput } from './read-input.ts'
import type { Running, RunningCalls } from './running-calls.ts'

/** How long a caller is asked to wait when there is no place, milliseconds. */
const retryAfterMs = 1_000

/**
 * The end of the chain: reads the input, waits for a place, runs the handler, writes its output. The input is copied
 * before anything is awaited, so that the caller may change what it gave. When the deadline passes or the caller goes
 * away, the reply is sent at once and the handler's signal aborts; its place is given away when it has really ended.
 */
export function execution(bound: BoundOperation, limiter: ConcurrencyLimiter, running: RunningCalls): Handle {
  const perform = performing(bound)
  return (call) => {
    if (call.signal.aborted) return failed(bound, call, codeOfAbort(call.signal.reason))
    const leftMs = call.deadlineMs - bound.deps.clock.monotonic()
    if (leftMs <= 0) return failed(bound, call, 'deadline_exceeded')
    if (limiter.isFull) return failed(bound, call, 'overloaded', { retryAfterMs })
    const input = readInput(bound, call)
    if (!input.ok) return Promise.resolve({ ok: false, problem: input.problem })
    return new Promise((resolve) => {
      const taken = new Execution(bound, call, perform, leftMs, resolve)
      running.add(taken)
      void taken.work(input.value, limiter).finally(() => running.delete(taken))
    })
  }
}

/** How the requests for an operation are carried out: whether they leave a record, and what may refuse their commit. */
function performing(bound: BoundOperation): Perform {
  const { store } = bound.deps
  if (store === undefined) return plainWork(bound)
  return bound.operation.idempotent === 'key' ? keyedWork(bound, store) : guardedWork(bound, store)
}

class Execution implements Running {
  readonly #bound: BoundOperation
  readonly #call: Call
  readonly #perform: Perform
  readonly #resolve: (reply: Reply) => void
  readonly #abort = new AbortController()
  readonly #timer: Timer
  readonly #onAbort = () => this.giveUp(codeOfAbort(this.#call.signal.reason))
  #answered = false

  constructor(bound: BoundOperation, call: Call, perform: Perform, leftMs: number, resolve: (reply: Reply) => void) {
    this.#bound = bound
    this.#call = call
    this.#perform = perform
    this.#resolve = resolve
    this.#timer = bound.deps.clock.setTimeout(() => this.giveUp('deadline_exceeded'), leftMs)
    call.signal.addEventListener('abort', this.#onAbort)
  }

  /** Answers now, and tells the handler to stop. */
  giveUp(code: 'deadline_exceeded' | 'cancelled' | 'outcome_unknown'): void {
    this.#answer({ ok: false, problem: platformProblem(code, place(this.#bound, this.#call)) })
    this.#abort.abort(code === 'deadline_exceeded' ? deadlinePassed() : cancelledByCaller())
  }

  /** Resolves when the handler has ended, be it long after the reply. Never rejects. */
  async work(input: unknown, limiter: ConcurrencyLimiter): Promise<void> {
    if (!limiter.tryEnter() && !(await limiter.wait(this.#abort.signal))) return
    const effects = this.#bound.reads ? undefined : { possible: false, running: 0 }
    try {
      this.#answer(await this.#perform({ call: this.#call, input, signal: this.#abort.signal, effects }))
    } catch (error) {
      this.#fail(error, effects)
    } finally {
      limiter.leave()
    }
  }

  #fail(error: unknown, effects: Effects | undefined): void {
    const told = problemOfError(this.#bound, this.#call, error, effects)
    const stoppedByUs = this.#answered && (told.log !== 'error' || error === this.#abort.signal.reason)
    if (told.log !== 'none' && !stoppedByUs) this.#log(told.problem.code, told.log, error)
    this.#answer({ ok: false, problem: told.problem })
  }

  #log(code: string, level: 'error' | 'warn', error: unknown): void {
    const { label, passedOn, deps } = this.#bound
    const unsaid = level === 'warn' ? passedOn.again(code) : 0
    if (unsaid === undefined) return
    const more = unsaid === 0 ? {} : { unsaid }
    const fields = { operation: label, code, traceId: this.#call.trace.traceId, ...more, err: error }
    deps.log[level](fields, `${label} failed: ${code}`)
  }

  #answer(reply: Reply): void {
    if (this.#answered) return
    this.#answered = true
    this.#timer.cancel()
    this.#call.signal.removeEventListener('abort', this.#onAbort)
    this.#resolve(reply)
  }
}

function failed(bound: BoundOperation, call: Call, code: PlatformCode, extra: ProblemExtra = {}): Promise<Reply> {
  return Promise.resolve({ ok: false, problem: platformProblem(code, { ...place(bound, call), ...extra }) })
}

import { codeOfAbort } from '../../call/abort-reason.ts'
import type { Call, Reply } from '../../call/call.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import { refusal } from './link-problem.ts'

/** A call that waits for its reply. It is answered once: by the reply, the deadline, its signal or the end of the link. */
export class PendingCall {
  readonly call: Call
  readonly body: Uint8Array | string | undefined
  /** Whether the callee may have got the whole of it. */
  written = false
  /** Tells the callee; set while the call is on a link. */
  withdraw: (() => void) | undefined
  readonly #settled: (pending: PendingCall, reply: Reply) => void
  #done = false

  constructor(call: Call, body: PendingCall['body'], settled: (pending: PendingCall, reply: Reply) => void) {
    this.call = call
    this.body = body
    this.#settled = settled
    call.signal.addEventListener('abort', this.#onAbort)
  }

  get done(): boolean {
    return this.#done
  }

  settle(reply: Reply): void {
    if (this.#done) return
    this.#done = true
    this.call.signal.removeEventListener('abort', this.#onAbort)
    this.#settled(this, reply)
  }

  expire(): void {
    this.settle(refusal('deadline_exceeded', this.call))
    this.withdraw?.()
  }

  /** The link is gone: says whether the call may have been processed. */
  lost(reason: string): void {
    this.settle(
      this.written ? refusal('outcome_unknown', this.call, reason) : refusal('unavailable', this.call, reason, 1_000),
    )
  }

  readonly #onAbort = (): void => {
    this.settle(refusal(codeOfAbort(this.call.signal.reason), this.call))
    this.withdraw?.()
  }
}

/** Every call of one transport that waits; ends those whose deadline passes. One timer serves them all. */
export class PendingCalls {
  readonly #clock: Clock
  readonly #waiting = new Set<PendingCall>()
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  add(pending: PendingCall): void {
    this.#waiting.add(pending)
    if (pending.call.deadlineMs < this.#timerAtMs) this.#arm(pending.call.deadlineMs)
  }

  remove(pending: PendingCall): void {
    this.#waiting.delete(pending)
  }

  /** Ends them all. */
  lose(reason: string): void {
    for (const pending of this.#waiting) pending.lost(reason)
    this.#timer?.cancel()
    this.#timerAtMs = Number.POSITIVE_INFINITY
  }

  #arm(atMs: number): void {
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#clock.setTimeout(() => this.#sweep(), Math.max(0, Math.ceil(atMs - this.#clock.monotonic())))
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonic()
    this.#timerAtMs = Number.POSITIVE_INFINITY
    let nextMs = Number.POSITIVE_INFINITY
    for (const pending of this.#waiting) {
      if (pending.call.deadlineMs <= nowMs) pending.expire()
      else nextMs = Math.min(nextMs, pending.call.deadlineMs)
    }
    if (nextMs < this.#timerAtMs) this.#arm(nextMs)
  }
}

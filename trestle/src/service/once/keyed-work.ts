import type { Call, Reply } from '../../call/call.ts'
import { onceWork } from '../../call/once-work.ts'
import { type ProblemExtra, platformProblem } from '../../call/problem.ts'
import type { PlatformCode } from '../../contract/platform-errors.ts'
import { crashPoint } from '../../std/crash-points.ts'
import type { WatchableStore } from '../../store/store.ts'
import type { BoundOperation } from '../bound-operation.ts'
import { storeCodeOf } from '../effects.ts'
import { handlerArgs } from '../handler-args.ts'
import { place, problemOfError } from '../problem-of-error.ts'
import { writeOutput } from '../write-output.ts'
import { cancelWork } from './cancelled-work.ts'
import { fingerprintOf } from './fingerprint.ts'
import { cancelled } from './guarded-work.ts'
import { cancelledBy, parentsOf, scopeOf } from './identity.ts'
import { KeyedStore } from './keyed-store.ts'
import {
  type Claim,
  claim,
  type ClaimRequest,
  finishAlone,
  isCancelled,
  keptReply,
  type Mine,
  release,
} from './record.ts'
import { RunningKeys } from './running-keys.ts'
import { replyOf, type StoredReply, storedOutput, storedProblem } from './stored-reply.ts'
import type { Perform, Request } from './work.ts'

/** How long the reply to a key is kept, and that of a key which once-only work has derived: that may repeat it late. */
const keptMs = 24 * 60 * 60_000
const derivedKeptMs = 30 * keptMs
/** How much longer than its call may take a request stays with whoever works on it. */
const leaseMarginMs = 1_000
/** How far the clocks of two replicas may be apart without any being taken for one that was put back. */
const skewMs = 5_000
/** How long a request waits for one with the same key in this process before it is told to come back. */
const waitForFirstMs = 2_000
/** When to come back, at the latest. */
const retryAfterMaxMs = 1_000

/**
 * Work that has its effect once for each key: claims the record of the request, runs the handler, and keeps its reply in
 * the transaction of its effect. What was done before is answered from the record.
 */
export function keyedWork(bound: BoundOperation, store: WatchableStore<unknown>): Perform {
  const { clock } = bound.deps
  const running = new RunningKeys(clock)
  return async (request) => {
    const { call, signal } = request
    const scope = scopeOf(call)
    const waitMs = Math.min(waitForFirstMs, call.deadlineMs - clock.monotonic())
    return running.run(scope, waitMs, signal, () => new KeyedRequest(bound, store, request, scope).answer())
  }
}

/** Thrown before the commit: what the handler gave is not what the contract says, which has been logged. */
class OutputRefused extends Error {
  readonly reply: Reply
  constructor(reply: Reply) {
    super('the output does not match the contract')
    this.reply = reply
  }
}

class KeyedRequest {
  readonly #bound: BoundOperation
  readonly #store: WatchableStore<unknown>
  readonly #request: Request
  readonly #call: Call
  readonly #scope: string
  readonly #parents: readonly string[]

  constructor(bound: BoundOperation, store: WatchableStore<unknown>, request: Request, scope: string) {
    this.#bound = bound
    this.#store = store
    this.#request = request
    this.#call = request.call
    this.#scope = scope
    this.#parents = parentsOf(request.call)
  }

  async answer(): Promise<Reply> {
    crashPoint('once.before-claim')
    const claimed = await this.#claim()
    crashPoint('once.after-claim')
    if (claimed.kind === 'mine') return await this.#work(claimed.mine)
    if (claimed.kind === 'done') return replyOf(claimed.reply, true)
    if (claimed.kind === 'cancelled') return cancelled(this.#bound, this.#call)
    if (claimed.kind === 'reused') return this.#refused('idempotency_key_reused')
    return this.#inProgress(claimed.leftMs)
  }

  async #claim(): Promise<Claim> {
    const { clock, newId } = this.#bound.deps
    const leftMs = Math.max(0, this.#call.deadlineMs - clock.monotonic())
    const leaseMs = Math.ceil(leftMs) + leaseMarginMs
    const request: ClaimRequest = {
      scope: this.#scope,
      fingerprint: fingerprintOf(this.#request.input),
      token: newId(),
      nowMs: clock.now(),
      leaseMs,
      leaseMaxMs: Math.max(leaseMs, this.#bound.operation.timeoutMs + leaseMarginMs) + skewMs,
      keptMs: this.#parents.length === 0 ? keptMs : derivedKeptMs,
      parents: this.#parents,
      // What others are asked under derived keys outlives a crash of our database; so must the time of the beginning.
      durable: this.#bound.callsOthers,
    }
    try {
      return await claim(this.#store, request)
    } catch (error) {
      if (storeCodeOf(error) !== 'outcome_unknown') throw error
      // The answer was lost; if the claim was made, its token is ours.
      return await claim(this.#store, request)
    }
  }

  async #work(mine: Mine): Promise<Reply> {
    const { call, input, signal, effects = { possible: false, running: 0 } } = this.#request
    const store = new KeyedStore({
      store: this.#store,
      effects,
      mine,
      parents: this.#parents,
      trace: call.trace,
      replyFor: (value) => this.#stored(value),
      newToken: this.#bound.deps.newId,
    })
    try {
      const undone = cancelledBy(call)
      if (undone !== undefined) await cancelWork(this.#store, undone, this.#bound.deps.clock.now())
      const { beganAtMs } = mine
      const { scope, ...derived } = onceWork({ key: this.#scope, beganAtMs, within: call.key, cancels: call.cancels })
      const once = { scope, store, ...derived }
      const value = await this.#bound.handler(handlerArgs(this.#bound, call, input, signal, effects, once))
      return await this.#returned(store, mine, value)
    } catch (error) {
      return await this.#thrown(store, mine, error)
    }
  }

  async #returned(store: KeyedStore<unknown>, mine: Mine, value: unknown): Promise<Reply> {
    const committed = await store.committed()
    if (committed === undefined) return await this.#keep(mine, this.#stored(value))
    if (committed.value !== value) this.#log('returned something else than its transaction gave, which is the reply')
    return replyOf(committed.reply, false)
  }

  async #thrown(store: KeyedStore<unknown>, mine: Mine, error: unknown): Promise<Reply> {
    const committed = await store.committed()
    if (committed !== undefined) {
      this.#log('failed after its transaction had committed the reply', error)
      return replyOf(committed.reply, false)
    }
    if (store.refused) return await this.#whatOthersMadeOfIt()
    const told = problemOfError(this.#bound, this.#call, error, this.#request.effects)
    if (told.problem.declared) return await this.#keep(mine, storedProblem(told.problem))
    // Without this word the key is free when its lease has run out; what failed is told.
    await release(this.#store, mine).catch(() => undefined)
    if (error instanceof OutputRefused) return error.reply
    throw error
  }

  /** Keeps a reply whose work has written nothing, or was rolled back. */
  async #keep(mine: Mine, reply: StoredReply): Promise<Reply> {
    crashPoint('once.before-keep')
    const kept = await finishAlone(this.#store, mine, reply)
    crashPoint('once.after-keep')
    return kept ? replyOf(reply, false) : await this.#whatOthersMadeOfIt()
  }

  /** Another has taken the request over, or the work that it is part of was undone: nothing was done here. */
  async #whatOthersMadeOfIt(): Promise<Reply> {
    if (this.#parents.length > 0 && (await isCancelled(this.#store, this.#parents))) {
      return cancelled(this.#bound, this.#call)
    }
    const kept = await keptReply(this.#store, this.#scope)
    return kept === undefined ? this.#inProgress(retryAfterMaxMs) : replyOf(kept, true)
  }

  #stored(value: unknown): StoredReply {
    const reply = writeOutput(this.#bound, { ...this.#call, want: 'bytes' }, value)
    if (!reply.ok) throw new OutputRefused(reply)
    const { body, status } = reply
    return body.kind === 'bytes'
      ? storedOutput(status, body.bytes, body.contentType)
      : storedOutput(status, new Uint8Array(), '')
  }

  #inProgress(leftMs: number): Reply {
    return this.#refused('idempotency_in_progress', { retryAfterMs: Math.min(Math.max(leftMs, 1), retryAfterMaxMs) })
  }

  #refused(code: PlatformCode, extra: ProblemExtra = {}): Reply {
    return { ok: false, problem: platformProblem(code, { ...place(this.#bound, this.#call), ...extra }) }
  }

  #log(what: string, cause?: unknown): void {
    const { label, deps } = this.#bound
    const fields = {
      operation: label,
      traceId: this.#call.trace.traceId,
      ...(cause === undefined ? {} : { err: cause }),
    }
    deps.log.error(fields, `${label} ${what}`)
  }
}

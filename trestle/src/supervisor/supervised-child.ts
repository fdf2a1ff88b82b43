import { backoffMs } from '../std/backoff.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { ChildExit, ChildSpec, ChildState, ChildStatus, RunningChild, SupervisorEvent } from './child-spec.ts'
import { type RestartBudget, restartBudget, type RestartLimits } from './restart-budget.ts'

export interface SupervisionDeps {
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
  readonly onEvent: (event: SupervisorEvent) => void
  readonly limits?: RestartLimits
  /** Wait before the first restart, at most; default 200. */
  readonly backoffBaseMs?: number
  /** Wait before any restart, at most; default 10,000. */
  readonly backoffMaxMs?: number
}

/** One child over its lives. */
export class SupervisedChild {
  readonly spec: ChildSpec
  readonly #deps: SupervisionDeps
  readonly #budget: RestartBudget
  #state: ChildState = 'stopped'
  #running: RunningChild | undefined
  #readyAt = 0
  #restarts = 0
  #reason: string | undefined
  #starting: { readonly abort: AbortController; readonly done: Promise<void> } | undefined
  #wait: Timer | undefined
  #stopping: Promise<void> | undefined

  constructor(spec: ChildSpec, deps: SupervisionDeps) {
    this.spec = spec
    this.#deps = deps
    this.#budget = restartBudget(deps.clock, deps.limits)
  }

  status(): ChildStatus {
    const up = this.#state === 'running' || this.#state === 'stopping'
    return {
      id: this.spec.id,
      state: this.#state,
      pid: this.#running?.pid,
      restarts: this.#restarts,
      uptimeMs: up ? this.#deps.clock.monotonic() - this.#readyAt : undefined,
      reason: this.#reason,
    }
  }

  /** Rejects with the cause when the child does not become ready; a first start is not tried again. */
  async start(): Promise<void> {
    if (this.#state === 'running') return
    if (this.#starting !== undefined) return this.#starting.done
    if (this.#stopping !== undefined) await this.#stopping
    this.#wait?.cancel()
    this.#budget.clear()
    await this.#launch()
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  /** Ends the child now; the restart rule applies. */
  kill(reason: string): void {
    if (this.#running === undefined) return
    this.#deps.onEvent({ kind: 'killed', id: this.spec.id, reason })
    this.#running.kill(reason)
  }

  #launch(): Promise<void> {
    const abort = new AbortController()
    this.#state = 'starting'
    const done = this.#begin(abort.signal).finally(() => {
      if (this.#starting?.abort === abort) this.#starting = undefined
    })
    this.#starting = { abort, done }
    return done
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const began = this.#deps.clock.monotonic()
    let running: RunningChild
    try {
      running = await this.spec.start(signal)
    } catch (error) {
      this.#reason = reasonOf(error)
      if (this.#state === 'starting') this.#state = 'failed'
      throw error
    }
    if (signal.aborted) {
      running.kill('stopped while it started')
      await running.exited
      throw new Error(`${this.spec.id} was stopped while it started`)
    }
    this.#running = running
    this.#readyAt = this.#deps.clock.monotonic()
    this.#state = 'running'
    this.#deps.onEvent({ kind: 'started', id: this.spec.id, pid: running.pid, tookMs: this.#readyAt - began })
    void running.exited.then((exit) => this.#onExit(running, exit))
  }

  #onExit(running: RunningChild, exit: ChildExit): void {
    if (this.#running !== running) return
    this.#running = undefined
    if (this.#state === 'stopping') return
    this.#reason = exit.reason
    this.#deps.onEvent({ kind: 'exited', id: this.spec.id, reason: exit.reason })
    const again = this.spec.restart === 'permanent' || (this.spec.restart === 'transient' && !exit.normal)
    if (again) this.#startAgain(exit.reason)
    else this.#state = 'stopped'
  }

  #startAgain(reason: string): void {
    const attempt = this.#budget.used()
    if (!this.#budget.take()) {
      this.#state = 'failed'
      this.#deps.onEvent({ kind: 'gave_up', id: this.spec.id, reason, restarts: this.#restarts })
      return
    }
    const { backoffBaseMs = 200, backoffMaxMs = 10_000, random, clock } = this.#deps
    const waitMs = Math.round(backoffMs(attempt, { baseMs: backoffBaseMs, maxMs: backoffMaxMs, random }))
    this.#state = 'waiting'
    this.#deps.onEvent({ kind: 'restarting', id: this.spec.id, reason, waitMs })
    this.#wait = clock.setTimeout(() => this.#retry(), waitMs)
  }

  #retry(): void {
    this.#restarts++
    this.#launch().catch((error: unknown) => {
      if (this.#state === 'failed') this.#startAgain(reasonOf(error))
    })
  }

  async #stop(): Promise<void> {
    this.#wait?.cancel()
    const starting = this.#starting
    const running = this.#running
    this.#state = 'stopping'
    if (starting !== undefined) {
      starting.abort.abort()
      await starting.done.catch(() => {})
    }
    if (running !== undefined) await this.#end(running)
    this.#state = 'stopped'
    this.#deps.onEvent({ kind: 'stopped', id: this.spec.id })
  }

  async #end(running: RunningChild): Promise<void> {
    const { shutdownMs } = this.spec
    const late = this.#deps.clock.setTimeout(() => this.kill(`did not stop within ${shutdownMs} ms`), shutdownMs)
    running.stop()
    await running.exited
    late.cancel()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

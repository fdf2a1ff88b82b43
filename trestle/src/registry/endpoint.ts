import type { Call, Reply, Transport } from '../call/call.ts'
import type { Instance } from '../call/instance.ts'
import { backoffMs } from '../std/backoff.ts'
import type { Clock } from '../std/clock.ts'

/** A transport that may say that it wants no calls now; one that says nothing always takes them. */
export type InstanceTransport = Transport & {
  readonly state?: 'idle' | 'connecting' | 'open' | 'draining' | 'down' | 'closed'
}

const probation = { baseMs: 200, maxMs: 5_000 }

/** One instance and the way to it: how much it has to do, and whether it failed a moment ago. */
export class Endpoint {
  readonly instance: Instance
  inFlight = 0
  readonly #clock: Clock
  readonly #random: () => number
  readonly #open: (instance: Instance) => InstanceTransport
  #transport: InstanceTransport | undefined
  #failures = 0
  #ejectedUntilMs = 0
  #retired = false

  constructor(instance: Instance, open: (instance: Instance) => InstanceTransport, clock: Clock, random: () => number) {
    this.instance = instance
    this.#open = open
    this.#clock = clock
    this.#random = random
  }

  /** Whether it is worth choosing while there are others. */
  get isPreferred(): boolean {
    const state = this.#transport?.state
    if (state === 'draining' || state === 'down' || state === 'closed') return false
    return this.#failures === 0 || this.#clock.monotonic() >= this.#ejectedUntilMs
  }

  async send(call: Call): Promise<Reply> {
    this.#transport ??= this.#open(this.instance)
    this.inFlight += 1
    try {
      const reply = await this.#transport.send(call)
      this.#learn(reply)
      return reply
    } finally {
      this.inFlight -= 1
      if (this.#retired) this.#closeWhenIdle()
    }
  }

  /** The instance has left: its transport closes when what runs on it has ended. */
  retire(): void {
    this.#retired = true
    this.#closeWhenIdle()
  }

  async close(): Promise<void> {
    this.#retired = true
    await this.#transport?.close()
  }

  #closeWhenIdle(): void {
    if (this.inFlight === 0) void this.#transport?.close()
  }

  /** Passive ejection: an instance that could not be reached is left alone for a while, longer each time. */
  #learn(reply: Reply): void {
    const failed = !reply.ok && !reply.problem.declared && isUnreachable(reply.problem.code)
    if (!failed) {
      this.#failures = 0
      return
    }
    // At least half of the ceiling: an instance that was just lost should not be chosen at once.
    const waitMs = probation.baseMs / 2 + backoffMs(this.#failures, { ...probation, random: this.#random })
    this.#failures += 1
    this.#ejectedUntilMs = this.#clock.monotonic() + waitMs
  }
}

function isUnreachable(code: string): boolean {
  return code === 'unavailable' || code === 'outcome_unknown'
}

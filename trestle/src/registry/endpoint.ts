import type { Call, Reply, Transport } from '../call/call.ts'
import type { Instance } from '../call/instance.ts'

/** A transport that may say that it wants no calls now; one that says nothing always takes them. */
export type InstanceTransport = Transport & {
  readonly state?: 'idle' | 'connecting' | 'open' | 'draining' | 'down' | 'closed'
}

/** One instance and the way to it. */
export class Endpoint {
  readonly instance: Instance
  readonly #open: (instance: Instance) => InstanceTransport
  #transport: InstanceTransport | undefined
  #inFlight = 0
  #retired = false

  constructor(instance: Instance, open: (instance: Instance) => InstanceTransport) {
    this.instance = instance
    this.#open = open
  }

  /** Whether it takes calls, as far as the way to it knows. */
  get isReady(): boolean {
    const state = this.#transport?.state
    return state !== 'draining' && state !== 'down' && state !== 'closed'
  }

  async send(call: Call): Promise<Reply> {
    this.#transport ??= this.#open(this.instance)
    this.#inFlight += 1
    try {
      return await this.#transport.send(call)
    } finally {
      this.#inFlight -= 1
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
    if (this.#inFlight === 0) void this.#transport?.close()
  }
}

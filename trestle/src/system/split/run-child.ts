import { systemClock } from '../../std/clock.ts'
import { type PreparedHost, prepareHost, type RunningHost } from '../host/host.ts'
import type { SystemSnapshot } from '../host/snapshot.ts'
import { createTelemetry, type Telemetry } from '../host/telemetry.ts'
import { loadSystem } from '../load-system.ts'
import { StartError } from '../start-error.ts'
import type { FromChild, ProcessStats, ToChild } from './messages.ts'

/** How long closing may take after the drain, milliseconds. */
const closeTimeoutMs = 2_000

/** Lives the life of a child: prepare, start, serve, drain, exit. */
export function runChild(self: NodeJS.Process): void {
  const child = new Child(self)
  self.on('message', (message: ToChild) => void child.on(message).catch((error: unknown) => child.fail(error)))
  self.on('disconnect', () => self.exit(0))
  // A terminal sends Ctrl-C to all its processes: the parent decides what it means.
  self.on('SIGINT', () => {})
  self.on('SIGTERM', () => child.send({ kind: 'leaving' }))
  self.on('uncaughtException', (error) => child.fail(error))
  self.on('unhandledRejection', (reason) => child.onUnhandled(reason))
  child.send({ kind: 'awake' })
}

class Child {
  readonly #self: NodeJS.Process
  readonly #abort = new AbortController()
  #telemetry: Telemetry | undefined
  #prepared: PreparedHost | undefined
  #host: RunningHost | undefined
  /** One that came while the host was starting is applied as soon as it has. */
  #latest: SystemSnapshot | undefined
  #failing = false

  constructor(self: NodeJS.Process) {
    this.#self = self
  }

  async on(message: ToChild): Promise<void> {
    switch (message.kind) {
      case 'prepare':
        return this.#prepare(message)
      case 'start':
        return this.#start(message)
      case 'snapshot':
        this.#latest = message.snapshot
        this.#host?.update(message.snapshot)
        return this.send({ kind: 'applied', id: message.id })
      case 'ping':
        return this.send({ kind: 'pong', id: message.id, stats: this.#stats() })
      case 'metrics':
        return this.send({ kind: 'metrics', id: message.id, text: this.#telemetry?.metricsText() ?? '' })
      case 'report':
        return this.send({ kind: 'report', id: message.id, report: this.#host?.report() })
      case 'drain':
        return this.#drain(message.timeoutMs)
    }
  }

  send(message: FromChild): void {
    if (this.#self.connected) this.#self.send?.(message)
  }

  /** Says why, to the parent and to the log, and exits. */
  fail(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const code = error instanceof StartError ? error.code : 'crashed'
    const message = error instanceof Error ? error.message : String(error)
    this.#telemetry?.log.error({ err: error }, 'the process fails')
    if (this.#telemetry === undefined) this.#self.stderr.write(`${error instanceof Error ? error.stack : message}\n`)
    if (!this.#self.connected) this.#self.exit(1)
    this.#self.send?.({ kind: 'failed', code, message } satisfies FromChild, () => this.#self.exit(1))
  }

  onUnhandled(reason: unknown): void {
    this.#telemetry?.unhandled(reason)
  }

  async #prepare(message: ToChild & { kind: 'prepare' }): Promise<void> {
    this.#telemetry = createTelemetry({ process: message.process, level: message.logLevel })
    const system = await loadSystem(new URL(message.systemUrl))
    this.#prepared = await prepareHost({
      system,
      process: message.process,
      services: message.services,
      gateway: message.gateway,
      link: { address: message.link, key: Buffer.from(message.key, 'hex') },
      clock: systemClock,
      random: Math.random,
      telemetry: this.#telemetry,
    })
    this.send({ kind: 'hello', facts: this.#prepared.facts })
  }

  async #start(message: ToChild & { kind: 'start' }): Promise<void> {
    if (this.#prepared === undefined) throw new Error('told to start before it was prepared')
    this.#host = await this.#prepared.start({
      stores: message.stores,
      snapshot: message.snapshot,
      progress: (service, text) => this.send({ kind: 'progress', service, message: text }),
      signal: this.#abort.signal,
    })
    if (this.#latest !== undefined) this.#host.update(this.#latest)
    this.send({ kind: 'ready', address: this.#host.address, gateway: this.#host.gateway })
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#abort.abort(new Error('told to stop'))
    setTimeout(() => this.#self.exit(0), timeoutMs + closeTimeoutMs).unref()
    await this.#host?.drain(timeoutMs)
    await this.#host?.close()
    this.#self.exit(0)
  }

  #stats(): ProcessStats {
    const { user, system } = this.#self.cpuUsage()
    return {
      memoryBytes: this.#self.memoryUsage.rss(),
      cpuMicros: user + system,
      inFlight: this.#host?.inFlight() ?? 0,
    }
  }
}

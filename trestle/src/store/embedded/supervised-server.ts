import { backoffMs } from '../../std/backoff.ts'
import { StoreError } from '../store-error.ts'
import type { StoreLog } from '../provider.ts'
import {
  adoptServer,
  type ServerProcess,
  settledPostmaster,
  sleep,
  type StartOptions,
  startServer,
} from './server-process.ts'

export interface SuperviseOptions extends StartOptions {
  readonly log: StoreLog
  /** Restarts within `restartPeriodMs` before giving up. */
  readonly restartsMax: number
  readonly restartPeriodMs: number
  /** How long a start may be tried: the processes of a killed server have to go first. */
  readonly startTimeoutMs: number
  /** Between starts that failed: what keeps the server down (a full disk) may need a person. */
  readonly failedStartPauseMs: number
}

const settleTimeoutMs = 60_000
const fastStopMs = 10_000
const immediateStopMs = 5_000
const retryBackoff = { baseMs: 100, maxMs: 1_000 }

/** Keeps one server running: starts it, starts it again when it dies, stops it in the end. */
export class SupervisedServer {
  readonly #options: SuperviseOptions
  readonly #restarts: number[] = []
  #running: ServerProcess
  #state: 'running' | 'recovering' | 'stopped' = 'running'
  #stopping = false
  #recovery: Promise<void> | undefined
  readonly #ending = Promise.withResolvers<void>()
  readonly adopted: boolean

  private constructor(options: SuperviseOptions, running: ServerProcess, adopted: boolean) {
    this.#options = options
    this.#running = running
    this.adopted = adopted
    void this.#watch(running)
  }

  /** Adopts the server that runs on the cluster, or starts one. */
  static async open(options: SuperviseOptions): Promise<SupervisedServer> {
    const { layout, clock, log } = options
    try {
      const found = await settledPostmaster(layout.cluster, clock, settleTimeoutMs)
      if (found !== undefined) {
        log.info({ postgresPid: found.pid }, 'adopted the PostgreSQL that an earlier process left running')
        return new SupervisedServer(options, adoptServer(found, clock), true)
      }
      return new SupervisedServer(options, await startPatiently(options), false)
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      throw new StoreError('embedded_failed', `PostgreSQL did not start: ${(cause as Error).message}`, { cause })
    }
  }

  get pid(): number {
    return this.#running.postmaster.pid
  }

  get port(): number {
    return this.#running.postmaster.port
  }

  get socketsDir(): string | undefined {
    return this.#running.postmaster.socketsDir
  }

  get state(): 'running' | 'recovering' | 'stopped' {
    return this.#state
  }

  /** A fast shutdown: transactions are rolled back, everything committed is written. Then harder ones. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#ending.resolve()
    await this.#recovery
    if (this.#state === 'running') await this.#stopProcess(this.#running)
    this.#state = 'stopped'
  }

  /** Stops the server and starts it with other settings. */
  async restartWith(changes: Partial<SuperviseOptions>): Promise<void> {
    this.#stopping = true
    await this.#stopProcess(this.#running)
    this.#running = await startPatiently({ ...this.#options, ...changes, port: this.port })
    this.#stopping = false
    void this.#watch(this.#running)
  }

  async #stopProcess(server: ServerProcess): Promise<void> {
    const { clock, log } = this.#options
    for (const [signal, waitMs] of [
      ['SIGINT', fastStopMs],
      ['SIGQUIT', immediateStopMs],
      ['SIGKILL', immediateStopMs],
    ] as const) {
      server.signal(signal)
      const gone = await Promise.race([server.gone.then(() => true), sleep(clock, waitMs).then(() => false)])
      if (gone) return
      log.warn({ postgresPid: server.postmaster.pid, signal, waitMs }, 'PostgreSQL did not stop in time')
    }
  }

  async #watch(server: ServerProcess): Promise<void> {
    const reason = await server.gone
    if (this.#stopping || this.#running !== server) return
    this.#state = 'recovering'
    this.#recovery = this.#recover(reason)
  }

  async #recover(reason: string): Promise<void> {
    const { log, clock, restartsMax, restartPeriodMs, failedStartPauseMs } = this.#options
    const now = clock.monotonic()
    while (this.#restarts[0] !== undefined && this.#restarts[0] < now - restartPeriodMs) this.#restarts.shift()
    if (this.#restarts.length >= restartsMax) {
      this.#state = 'stopped'
      log.error({ reason, restartsMax, restartPeriodMs }, 'PostgreSQL ended too often and stays down')
      return
    }
    this.#restarts.push(now)
    log.warn({ reason, restart: this.#restarts.length, restartsMax }, 'PostgreSQL ended; starting it again')
    try {
      this.#running = await startPatiently({ ...this.#options, port: this.port })
      this.#state = 'running'
      log.info({ postgresPid: this.pid, tookMs: Math.round(clock.monotonic() - now) }, 'PostgreSQL runs again')
      void this.#watch(this.#running)
    } catch (error) {
      log.error({ err: error, failedStartPauseMs }, 'PostgreSQL could not be started again; trying later')
      await Promise.race([sleep(clock, failedStartPauseMs), this.#ending.promise])
      if (!this.#stopping) await this.#recover('an earlier start failed')
    }
  }
}

/** After a kill -9 the old server's processes hold its memory until they have noticed: the start is tried for a while. */
async function startPatiently(options: SuperviseOptions): Promise<ServerProcess> {
  const { clock, startTimeoutMs } = options
  const giveUpAt = clock.monotonic() + startTimeoutMs
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startServer(options)
    } catch (error) {
      const waitMs = 50 + backoffMs(attempt, retryBackoff)
      if (!mayPass(error) || clock.monotonic() + waitMs > giveUpAt) throw error
      await sleep(clock, waitMs)
    }
  }
}

/** What keeps the start back may go by itself; and who was killed while it started had nothing against starting. */
function mayPass(error: unknown): boolean {
  const { message } = error as Error
  return /shared memory block|lock file|Address already in use|starting up|^the server ended with signal/.test(message)
}

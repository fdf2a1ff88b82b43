import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { exitOf } from '../../system/exit-of.ts'

const program = fileURLToPath(new URL('../../../bin/trestle.js', import.meta.url))
const readyTimeoutMs = 120_000
const readyEveryMs = 50
const askTimeoutMs = 5_000
/** How long its calls may take to end before it is killed. */
const stopTimeoutMs = 30_000
const otherTimeoutMs = 120_000
/** How long what it said last may take to come, when something that it started lives on. */
const flushMs = 1_000
const saidMaxCharacters = 10_000_000

/** Where a `trestle` command runs and what it finds there. */
export interface CommandPlace {
  readonly dataDir: string
  /** Where its gateway listens. */
  readonly gatewayPort: number
  /** Where its operators ask it; default: a port that is free. */
  readonly adminPort?: number
  /** The folder that it is started in; default: this process's. */
  readonly cwd?: string
  /** What it finds in its environment besides that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** It prints and logs at the end of this file; default: to whoever asks what it `said`. */
  readonly logFile?: string
}

/** A `trestle` command that runs until it is stopped, as users run it: in a process of its own. */
export class CommandProcess implements AsyncDisposable {
  /** Of its gateway, without a slash at the end. */
  readonly url: string
  readonly #name: string
  readonly #place: CommandPlace
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  /** Resolves when its process has gone, or could not be started: `exited with code 1`, `was ended by SIGKILL`. */
  readonly ended: Promise<string>
  #said = ''

  /** Starts it. @param args `['start', 'systems/store', '--topology', 'merged']` */
  constructor(args: readonly string[], place: CommandPlace) {
    this.url = `http://127.0.0.1:${place.gatewayPort}`
    this.#name = `trestle ${args.join(' ')}`
    this.#place = place
    const log = place.logFile === undefined ? 'pipe' : openSync(place.logFile, 'a')
    const { cwd } = place
    this.#child = spawn(process.execPath, [program, ...args], { cwd, env: this.#env(), stdio: ['ignore', log, log] })
    if (typeof log === 'number') closeSync(log)
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.ended = exitOf(this.#child, () => undefined).then(({ reason }) => reason)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-saidMaxCharacters)
      })
    }
  }

  #env(): NodeJS.ProcessEnv {
    const { dataDir, gatewayPort, adminPort = 0, env } = this.#place
    return {
      ...process.env,
      // What it said is read by tests: in continuous integration it would be in colours.
      NO_COLOR: '1',
      ...env,
      TRESTLE_DATA_DIR: dataDir,
      TRESTLE_GATEWAY_PORT: String(gatewayPort),
      TRESTLE_ADMIN_PORT: String(adminPort),
    }
  }

  /** `undefined`: it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Whether its process is there. */
  get runs(): boolean {
    return this.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The last 10,000,000 characters of what it has printed and logged. */
  said(): string {
    return this.#said
  }

  /**
   * Resolves with `true` once its gateway says that it is ready, with `false` when it has ended before.
   * @throws Error when it is neither within `timeoutMs`, 120 s unless said otherwise
   */
  async ready(timeoutMs = readyTimeoutMs): Promise<boolean> {
    const until = performance.now() + timeoutMs
    while (performance.now() < until) {
      if (!this.runs) return false
      const signal = AbortSignal.timeout(askTimeoutMs)
      const answer = await fetch(`${this.url}/readyz`, { signal }).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.status === 200) return true
      await wait(readyEveryMs)
    }
    throw new Error(`${this.#name} was not ready within ${timeoutMs} ms`)
  }

  /** Runs another `trestle` command in the same place to its end. @returns what that printed @throws Error when it fails */
  async trestle(...args: readonly string[]): Promise<string> {
    const options = { cwd: this.#place.cwd, env: this.#env(), timeout: otherTimeoutMs, maxBuffer: saidMaxCharacters }
    return (await promisify(execFile)(process.execPath, [program, ...args], options)).stdout
  }

  /** SIGTERM, as an operator stops it; SIGKILL after 30 s. */
  async stop(): Promise<void> {
    const force = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs)
    await this.#end('SIGTERM')
    clearTimeout(force)
  }

  /** SIGKILL. In a split system its services end with it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.runs) this.#child.kill(signal)
    await this.ended
    await Promise.race([this.#closed, wait(flushMs, undefined, { ref: false })])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

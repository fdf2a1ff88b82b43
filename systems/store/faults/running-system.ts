import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Operator, operatorOf } from './operator.ts'
import { ask } from './web.ts'

const command = fileURLToPath(import.meta.resolve('trestle/package.json').replace(/package\.json$/, 'bin/trestle.js'))
const startTimeoutMs = 90_000
const stopTimeoutMs = 30_000

/** How a system under test is started. */
export interface SystemSettings {
  readonly name: string
  /** Its folder. */
  readonly folder: string
  readonly topology: 'merged' | 'split'
  readonly dataDir: string
  readonly port: number
  readonly adminPort: number
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
}

/** It was started again and again, and ended each time. */
export class NotStarting extends Error {}

/** A system that is started by the command line, killed by its test, and started again on the same data. */
export class RunningSystem {
  readonly settings: SystemSettings
  readonly operator: Operator
  readonly url: string
  #child: ChildProcess | undefined
  /** Ends that nobody asked for. */
  readonly surprises: string[] = []
  #wanted = false
  #starting: Promise<void> | undefined

  constructor(settings: SystemSettings) {
    this.settings = settings
    this.operator = operatorOf(settings.dataDir)
    this.url = `http://127.0.0.1:${settings.port}`
  }

  /** Started, and not ended by its test. */
  get wanted(): boolean {
    return this.#wanted
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts it and waits until it is ready. @throws Error when it does not become so */
  async start(): Promise<void> {
    await this.#begin()
    if (!this.runs) throw new NotStarting(`${this.settings.name} does not start; see ${this.settings.logFile}`)
  }

  async #begin(): Promise<void> {
    const { folder, topology, dataDir, port, adminPort, env, logFile } = this.settings
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, [command, 'start', folder, '--topology', topology], {
      env: {
        ...env,
        TRESTLE_DATA_DIR: dataDir,
        TRESTLE_GATEWAY_PORT: String(port),
        TRESTLE_ADMIN_PORT: String(adminPort),
      },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    this.#wanted = true
    child.once('exit', (code, signal) => {
      if (this.#wanted && this.#child === child) this.surprises.push(`ended with ${code ?? signal}`)
    })
    await this.#ready(child)
  }

  async #ready(child: ChildProcess): Promise<void> {
    const until = performance.now() + startTimeoutMs
    while (performance.now() < until) {
      if (child.exitCode !== null || child.signalCode !== null) return
      const answer = await ask('GET', `${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) }).catch(
        () => undefined,
      )
      // The gateway is there before the admin listener, which is asked next.
      if (answer?.status === 200 && (await this.#answersOperators())) return
      await sleep(50)
    }
    throw new Error(`${this.settings.name} was not ready within ${startTimeoutMs} ms`)
  }

  async #answersOperators(): Promise<boolean> {
    return this.operator.ps().then(
      () => true,
      () => false,
    )
  }

  /** Starts it again when it has ended, for as long as crash points end it while it starts. */
  ensure(): Promise<void> {
    this.#starting ??= this.#startAgain().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #startAgain(): Promise<void> {
    for (let attempt = 0; !this.runs; attempt += 1) {
      if (attempt === 10) throw new NotStarting(`${this.settings.name} does not start; see ${this.settings.logFile}`)
      await this.#begin()
    }
  }

  /** SIGKILL of the process that was started; in a split system its services end with it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#wanted = false
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await exit
    clearTimeout(force)
  }

  /** Of its database server; `undefined`: it does not run. */
  postmaster(): number | undefined {
    try {
      const file = join(this.settings.dataDir, 'postgres', 'cluster', 'postmaster.pid')
      return Number(readFileSync(file, 'utf8').split('\n', 1)[0])
    } catch {
      return undefined
    }
  }

  /** The processes of its services; all the same one when it is merged. */
  async processes(): Promise<readonly { readonly service: string; readonly pid: number }[]> {
    const rows = await this.operator.ps()
    return rows.flatMap(({ service, pid }) => (pid === undefined ? [] : [{ service, pid }]))
  }
}

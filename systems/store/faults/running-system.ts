import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandProcess } from 'trestle/testing'
import { type Operator, operatorOf } from './operator.ts'

const startTimeoutMs = 90_000
const startsMax = 10
const waitsLongerMs = 1_000

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

const lastLines = 15

/** It was started, again and again when it had run before, and ended each time. */
export class NotStarting extends Error {
  constructor({ name, logFile }: SystemSettings) {
    const said = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lastLines) : []
    super(`${name} does not start; the last that it said:\n${said.join('\n')}`)
  }
}

/** A system that is started by the command line, killed by its test, and started again on the same data. */
export class RunningSystem {
  readonly settings: SystemSettings
  readonly operator: Operator
  readonly url: string
  #command: CommandProcess | undefined
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
    return this.#command?.pid
  }

  get runs(): boolean {
    return this.#command?.runs === true
  }

  /** Starts it and waits until it is ready. @throws Error when it does not become so */
  async start(): Promise<void> {
    await this.#begin()
    if (!this.runs) throw new NotStarting(this.settings)
  }

  async #begin(): Promise<void> {
    const { folder, topology, port, ...place } = this.settings
    const args = ['start', folder, '--topology', topology]
    const command = new CommandProcess(args, { ...place, gatewayPort: port })
    this.#command = command
    this.#wanted = true
    const until = performance.now() + startTimeoutMs
    if (await command.ready(startTimeoutMs)) await this.#answersOperators(command, until)
  }

  /** The gateway is there before the admin listener. */
  async #answersOperators(command: CommandProcess, until: number): Promise<void> {
    while (command.runs) {
      try {
        await this.operator.ps()
        return
      } catch (cause) {
        if (performance.now() > until)
          throw new Error(`${this.settings.name} did not answer operators within ${startTimeoutMs} ms`, { cause })
      }
      await sleep(50)
    }
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
      if (attempt === startsMax) throw new NotStarting(this.settings)
      // What ends it may be there for a while, a full disk for instance.
      await sleep(attempt * waitsLongerMs)
      await this.#begin()
    }
  }

  /** SIGKILL of the process that was started; in a split system its services end with it. */
  async kill(): Promise<void> {
    this.#wanted = false
    await this.#command?.kill()
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    this.#wanted = false
    await this.#command?.stop()
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

import { join } from 'node:path'
import type { Log, LogLevel } from '../telemetry/index.ts'
import type { Beside } from './beside.ts'
import { type StartedBeside, startBesideProcess } from './beside-process.ts'
import { messageOf, StartError } from './start-error.ts'
import type { System } from './system.ts'

/** One of the systems beside this one. */
export interface BesideDescription {
  readonly name: string
  readonly url: string
  readonly where: string
  readonly pids: readonly number[]
}

/** The systems beside one that starts. */
export interface Besides {
  /** What the services find in their environment; known before the others run. */
  readonly env: Readonly<Record<string, string>>
  /** Resolves when all run. @throws StartError `service_failed` */
  readonly ready: Promise<unknown>
  describe(): readonly BesideDescription[]
}

/** What the start of a system gives to those beside it. */
export interface BesidesOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly dataDir: string
  /** Where a system listens that was declared with a port. */
  readonly portFor: (other: Beside) => Promise<number>
  readonly logLevel: LogLevel
  readonly log: Log
  readonly progress: (service: string, message: string) => void
  readonly signal: AbortSignal
}

/**
 * Begins to start what is to run beside a system, but for what somebody else runs: of that the environment names the
 * address.
 * @throws StartError `port_in_use`
 */
export async function startBesides(
  system: System,
  options: BesidesOptions,
  opened: AsyncDisposableStack,
): Promise<Besides> {
  const others = await Promise.all(
    Object.entries(system.beside).map(async ([name, other]) => {
      const given = options.env[other.variable]
      return given === undefined || given === ''
        ? startOne(name, other, options, opened)
        : elsewhere(name, other, given)
    }),
  )
  const ready = Promise.all(others.map((other) => other.ready))
  // Whoever starts the system waits for it later.
  ready.catch(() => {})
  return {
    env: Object.fromEntries(others.map(({ variable, describe }) => [variable, describe().url])),
    ready,
    describe: () => others.map(({ describe }) => describe()),
  }
}

interface Other {
  readonly variable: string
  readonly ready: Promise<unknown>
  readonly describe: () => BesideDescription
}

function elsewhere(name: string, { variable }: Beside, url: string): Other {
  const where = `elsewhere, as ${variable} says`
  return { variable, ready: Promise.resolve(), describe: () => ({ name, url, where, pids: [] }) }
}

async function startOne(
  name: string,
  other: Beside,
  options: BesidesOptions,
  opened: AsyncDisposableStack,
): Promise<Other> {
  const { variable } = other
  const { progress } = options
  const port = await options.portFor(other)
  const dataDir = join(options.dataDir, 'beside', name)
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  progress(name, `starting beside, its data in ${dataDir}`)
  const starting = startBesideProcess({ ...options, name, beside: other, port, dataDir, signal })
  let started: StartedBeside | undefined
  const ready = starting.then(
    (running) => {
      started = running
      return started
    },
    (cause: unknown) => {
      options.signal.throwIfAborted()
      throw new StartError('service_failed', `${name}, which runs beside this system: ${messageOf(cause)}`, { cause })
    },
  )
  opened.defer(async () => {
    ended.abort()
    await ready.catch(() => {})
    await started?.close()
  })
  const url = `http://127.0.0.1:${port}`
  return {
    variable,
    ready,
    describe: () => ({ name, url, where: 'a process of its own', pids: started?.pids() ?? [] }),
  }
}

/** Until the system stops, its services find this in their environment, be they in this process or in children of it. */
export function setEnvironment(values: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, values)
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    },
  }
}

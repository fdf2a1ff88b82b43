import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '../call/caller.ts'
import type { Handle } from '../call/call.ts'
import { createClient } from '../call/create-client.ts'
import type { AnyContract } from '../contract/contract.ts'
import { systemClock } from '../std/clock.ts'
import type { Divergence } from '../system/host/send-twice.ts'
import { newTrace } from '../std/trace-context.ts'
import { type RunningSystem, type StartOptions, startSystem } from '../system/index.ts'
import { setEnvironment } from '../system/start-beside.ts'
import type { LogLevel } from '../telemetry/index.ts'
import { testStores } from './postgres/shared-postgres.ts'
import { testTopologies } from './test-topologies.ts'
import type { TestRequest, TestSystem } from './test-system.ts'

/** How a test runs a system; every option has a default that fits most tests. */
export interface RunOptions {
  /**
   * Where the databases are. `shared` (default): fresh ones on a server that all tests share. `own`: an embedded server
   * in the system's data directory, for tests that stop it.
   */
  readonly stores?: 'shared' | 'own'
  /** Default: a new directory, deleted at the end. */
  readonly dataDir?: string
  /** Replicas by service, `gateway` included; only the split runner has any. */
  readonly replicas?: Readonly<Record<string, number>>
  /** Default `silent`. */
  readonly logLevel?: LogLevel
  readonly progress?: StartOptions['progress']
  readonly drainTimeoutMs?: number
  readonly startIdleMs?: number
  readonly restarts?: NonNullable<StartOptions['restarts']>
  readonly liveness?: NonNullable<StartOptions['liveness']>
  readonly admin?: NonNullable<StartOptions['admin']>
  /** What the services find in their environment besides; in the process of the test it is set until the system stops. */
  readonly env?: Readonly<Record<string, string>>
}

/** A way to run a system in a test. A system test that does not run on all of them is not finished. */
export interface Runner {
  readonly name: TestSystem['runner']
  /** For the titles of tests. */
  toString(): string
  /**
   * Starts the system that a file exports, on free ports, with empty databases.
   * @example await using store = await runner.start(new URL('./system.ts', import.meta.url))
   */
  start(system: URL, options?: RunOptions): Promise<TestSystem>
}

/** Everything in this process. */
export const local: Runner = runner('local', { placement: 'one-process', localCalls: 'direct' })

/**
 * Everything in this process, but each call between services is encoded, goes over a socket and is decoded; and what
 * says that it is idempotent is sent twice. The first reply counts; for operations with a key the second must be equal.
 */
export const wire: Runner = runner('wire', { placement: 'one-process', localCalls: 'link-twice' })

/** Each service, and the gateway, in a process of its own. */
export const split: Runner = runner('split', { placement: 'process-per-service' })

/** `describe.each(runners)('checkout on %s', (runner) => ...)` */
export const runners: readonly Runner[] = [local, wire, split]

interface Way {
  readonly placement: 'one-process' | 'process-per-service'
  readonly localCalls?: 'direct' | 'link-twice'
}

function runner(name: Runner['name'], way: Way): Runner {
  return {
    name,
    toString: () => name,
    async start(systemUrl, options = {}) {
      const opened = new AsyncDisposableStack()
      const divergences: Divergence[] = []
      opened.defer(() => checkDivergences(divergences))
      try {
        const dataDir = await dataDirFor(options, opened)
        const stores = options.stores === 'own' ? undefined : await testStores()
        if (stores !== undefined) opened.defer(() => stores.close())
        // After the server that all tests share was started: it is not to find what one of them sets.
        opened.use(setEnvironment(options.env ?? {}))
        const running = await startSystem({
          ...given(options),
          systemUrl,
          place: testTopologies[way.placement](options.replicas ?? {}),
          dataDir,
          gatewayPort: 0,
          adminPort: 0,
          logLevel: options.logLevel ?? 'silent',
          env: { ...options.env },
          ...(stores === undefined ? {} : { stores }),
          ...(way.localCalls === undefined ? {} : { localCalls: way.localCalls }),
          onDivergence: (divergence) => divergences.push(divergence),
        })
        opened.defer(() => running.stop())
        return testSystem(name, running, opened.move())
      } catch (error) {
        await opened.disposeAsync()
        throw error
      }
    },
  }
}

function given({ progress, drainTimeoutMs, startIdleMs, restarts, liveness, admin }: RunOptions) {
  return {
    ...(progress === undefined ? {} : { progress }),
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    ...(startIdleMs === undefined ? {} : { startIdleMs }),
    ...(restarts === undefined ? {} : { restarts }),
    ...(liveness === undefined ? {} : { liveness }),
    ...(admin === undefined ? {} : { admin }),
  }
}

/** @throws Error when an operation with a key did not answer the same when it was asked again */
function checkDivergences([first]: readonly Divergence[]): void {
  if (first === undefined) return
  const what = `${first.contract}.${first.operation}`
  const replies = `first ${JSON.stringify(first.first)}, then ${JSON.stringify(first.second)}`
  throw new Error(`${what} says that it is idempotent by key, but asked twice with one key it answered ${replies}`)
}

async function dataDirFor({ dataDir }: RunOptions, opened: AsyncDisposableStack): Promise<string> {
  if (dataDir !== undefined) return dataDir
  const made = await mkdtemp(join(tmpdir(), 'trestle-data-'))
  opened.defer(() => rm(made, { recursive: true, force: true }))
  return made
}

function testSystem(name: Runner['name'], running: RunningSystem, opened: AsyncDisposableStack): TestSystem {
  const stop = () => opened.disposeAsync()
  return {
    runner: name,
    url: running.gatewayUrl,
    dataDir: running.dataDir,
    operator: running.operator,
    fetch: (path, init) => fetch(`${running.gatewayUrl}${path}`, fetchInit(init)),
    client: (contract, caller) => clientOf(contract, running.send, caller),
    ps: () => running.operator.status(),
    kill: (service) => killOne(running, service),
    async scale(service, replicas) {
      await running.operator.scale(service, replicas)
    },
    async deploy(service) {
      await running.operator.deploy(service)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function clientOf<C extends AnyContract>(contract: C, send: Handle, caller: Caller = operator) {
  return createClient(contract, { from: 'operator', send, clock: systemClock })({ caller, trace: newTrace() })
}

const operator: Caller = { kind: 'operator', id: 'operator', scopes: [] }

function fetchInit({ method, headers = {}, body, signal }: TestRequest = {}): RequestInit {
  const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: plain ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: plain ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }
}

async function killOne(running: RunningSystem, service: string): Promise<void> {
  const status = await running.operator.status()
  const found = status.services.find((each) => each.service === service)
  const pid = found?.processes.find((each) => each.pid !== undefined)?.pid
  if (pid === undefined) throw new Error(`${service} has no process`)
  if (pid === process.pid)
    throw new Error(`${service} runs in the process of the test: only the split runner can kill it`)
  process.kill(pid, 'SIGKILL')
  for (;;) {
    const now = await running.operator.status()
    const processes = now.services.find((each) => each.service === service)?.processes ?? []
    if (!processes.some((each) => each.pid === pid)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../std/clock.ts'
import type { Account } from './account.ts'
import type { Layout } from './layout.ts'
import { type Postmaster, readPostmaster } from './postmaster-file.ts'
import { isAlive } from './process-identity.ts'
import { startProgram } from './run-program.ts'
import { type Durability, serverSettings } from './server-settings.ts'

/** One run of the server: started by us, or found running. */
export interface ServerProcess {
  readonly postmaster: Postmaster
  /** Settles when the process is gone, with the reason as far as it is known. */
  readonly gone: Promise<string>
  readonly signal: (signal: NodeJS.Signals) => void
}

export interface StartOptions {
  readonly layout: Layout
  readonly account: Account | undefined
  readonly connectionsMax: number
  readonly durability: Durability
  readonly clock: Clock
  /** Where there are no unix sockets: the port of the run before, so that addresses stay. */
  readonly port?: number
  /** How long the server may take to become ready, recovery after a crash included. */
  readonly readyTimeoutMs: number
}

const pollMs = 20
const adoptedPollMs = 250
const logMaxBytes = 1 << 20

/** Starts the server and waits until it accepts connections. Rejects with the end of its log when it does not. */
export async function startServer(options: StartOptions): Promise<ServerProcess> {
  const { layout, account, connectionsMax, durability, clock, readyTimeoutMs } = options
  const { socketsDir, logFile, cluster } = layout
  removeStalePidFile(cluster)
  const port = options.port ?? (socketsDir === undefined ? await freePort() : 5432)
  const log = openSync(logFile, sizeOf(logFile) > logMaxBytes ? 'w' : 'a', 0o600)
  const logStart = sizeOf(logFile)
  const args = ['-D', cluster, ...serverSettings({ connectionsMax, durability, socketsDir, port })]
  // A session of its own: Ctrl-C in the terminal reaches us, and we stop the server when nobody needs it any more.
  const child = startProgram(layout.binaries.postgres, args, layout, account, {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  const gone = exitOf(child)
  let ended: string | undefined
  void (async () => {
    ended = await gone
  })()
  const giveUpAt = clock.monotonic() + readyTimeoutMs
  for (;;) {
    const postmaster = readPostmaster(cluster)
    if (postmaster?.pid === child.pid && postmaster?.status === 'ready') {
      return { postmaster, gone, signal: (signal) => void child.kill(signal) }
    }
    if (ended !== undefined) throw new Error(`the server ended with ${ended}: ${tailOf(logFile, logStart)}`)
    if (clock.monotonic() > giveUpAt) {
      child.kill('SIGKILL')
      throw new Error(`the server was not ready within ${readyTimeoutMs} ms: ${tailOf(logFile, logStart)}`)
    }
    await sleep(clock, pollMs)
  }
}

/** Takes over a server that runs already. It is not our child, so its end is seen by looking. */
export function adoptServer(postmaster: Postmaster, clock: Clock): ServerProcess {
  const { pid } = postmaster
  const gone = (async () => {
    while (isAlive(pid)) await sleep(clock, adoptedPollMs)
    return 'an unknown status'
  })()
  return {
    postmaster,
    gone,
    signal: (signal) => {
      try {
        process.kill(pid, signal)
      } catch {
        // Gone already, which is what a signal is for.
      }
    },
  }
}

/** Waits for a server that starts or stops to make up its mind; `undefined` when there is none. */
export async function settledPostmaster(
  cluster: string,
  clock: Clock,
  timeoutMs: number,
): Promise<Postmaster | undefined> {
  const giveUpAt = clock.monotonic() + timeoutMs
  for (;;) {
    const postmaster = readPostmaster(cluster)
    if (postmaster === undefined || postmaster.status === 'ready') return postmaster
    if (clock.monotonic() > giveUpAt) {
      throw new Error(`PostgreSQL with process id ${postmaster.pid} has been ${postmaster.status} for ${timeoutMs} ms`)
    }
    await sleep(clock, pollMs)
  }
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms))
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (status, signal) => resolve(signal === null ? `status ${status}` : `signal ${signal}`))
  })
}

/** The server refuses to start when the number in its pid file belongs to any living process, whoever that is. */
function removeStalePidFile(cluster: string): void {
  if (readPostmaster(cluster) === undefined) rmSync(join(cluster, 'postmaster.pid'), { force: true })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

function tailOf(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString('utf8').slice(-2_000).trim()
}

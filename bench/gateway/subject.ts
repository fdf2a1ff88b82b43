import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** A gateway with certain features on, started for one round. */
export interface Subject {
  /** `haproxy` */
  readonly gateway: string
  /** `key + limit + log` */
  readonly features: string
  /** @throws Error why it cannot run here: it is then reported as missing */
  start(ground: Ground): Promise<Running>
}

/** What a subject gets. */
export interface Ground {
  readonly upstreamPort: number
  /** A folder of its own. */
  readonly dir: string
}

export interface Running {
  readonly port: number
  /** Its processes are this one and those below it. */
  readonly pid: number
  /** Whole requests, asked in turn. */
  readonly requests: readonly string[]
  readonly stop: () => Promise<void>
}

/** A GET as a client writes it. */
export function get(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries({ Host: 'bench.example', Accept: 'application/json', ...headers })
  return `GET ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Core 0 is the gateways'; upstream and load have core 1. */
export function onCore(core: 0 | 1, command: string, args: readonly string[]): readonly [string, readonly string[]] {
  return process.platform === 'linux' ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
}

/** Starts a gateway on its core and waits until its port accepts. Rejects with the end of what it said. */
export async function startGateway(
  command: string,
  args: readonly string[],
  options: { readonly port: number; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
): Promise<Pick<Running, 'pid' | 'stop'>> {
  const [program, all] = onCore(0, command, args)
  const child = spawn(program, all, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000)
  })
  await listening(child, options.port, () => said)
  return { pid: child.pid as number, stop: () => ended(child) }
}

/** Resolves when the process has ended; one that does not end by itself is killed. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exit
  clearTimeout(timer)
}

async function listening(child: ChildProcess, port: number, said: () => string): Promise<void> {
  const untilMs = performance.now() + 30_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${whyOf(said())}`)
    if (await accepts(port)) return
    if (performance.now() > untilMs) {
      await ended(child)
      throw new Error(`it does not listen: ${whyOf(said())}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The line with the error, else the last one. */
function whyOf(said: string): string {
  const lines = said.trim().split('\n')
  return (lines.find((line) => /\bError\b/.test(line)) ?? lines.at(-1) ?? '').slice(0, 300)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

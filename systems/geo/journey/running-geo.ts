import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(import.meta.resolve('trestle/package.json').replace(/package\.json$/, 'bin/trestle.js'))
const systemFolder = fileURLToPath(new URL('..', import.meta.url))
const startTimeoutMs = 120_000
const stopTimeoutMs = 20_000
const saidMaxCharacters = 10_000_000

/** The system, started by the command line as a user starts it, with data of its own that are deleted at the end. */
export interface RunningGeo extends AsyncDisposable {
  /** Of the gateway. */
  readonly url: string
  readonly startMs: number
  /** All that it has printed and logged. */
  said(): string
  stop(): Promise<void>
}

/** Starts it in one process on free ports and waits until it is ready. */
export async function startGeo(env: Readonly<Record<string, string>> = {}): Promise<RunningGeo> {
  const dataDir = await mkdtemp(join(tmpdir(), 'geo-journey-'))
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [command, 'start', systemFolder, '--topology', 'merged'], {
    env: {
      ...process.env,
      TRESTLE_DATA_DIR: dataDir,
      TRESTLE_GATEWAY_PORT: String(port),
      TRESTLE_ADMIN_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-saidMaxCharacters)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const stop = async () => {
    await ended(child)
    await rm(dataDir, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await ready(child, url)
  } catch (error) {
    await stop()
    throw new Error(`the system did not start:\n${said}`, { cause: error })
  }
  return { url, startMs: performance.now() - began, said: () => said, stop, [Symbol.asyncDispose]: stop }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + startTimeoutMs
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`)
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`it was not ready within ${startTimeoutMs} ms`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await exit
  clearTimeout(force)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

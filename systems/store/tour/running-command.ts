import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(import.meta.resolve('trestle/package.json').replace(/package\.json$/, 'bin/trestle.js'))
const startTimeoutMs = 120_000
const stopTimeoutMs = 20_000
const saidMaxCharacters = 4_000

/** A `trestle` command that goes on until it is stopped. */
export interface RunningCommand extends AsyncDisposable {
  readonly pid: number
  readonly url: string
  readonly startMs: number
  readonly stop: () => Promise<void>
}

/** The arguments of Node for a `trestle` command. */
export function trestleCommand(...args: readonly string[]): readonly string[] {
  return [command, ...args]
}

interface StartOptions {
  readonly url: string
  readonly env: NodeJS.ProcessEnv
  /** Told all that it prints and logs. */
  readonly heard?: ((text: string) => void) | undefined
}

/** Starts a command that opens a gateway at `url`, and waits until that says that it is ready. */
export async function startCommand(
  args: readonly string[],
  { url, env, heard }: StartOptions,
): Promise<RunningCommand> {
  const began = performance.now()
  const child = spawn(process.execPath, trestleCommand(...args), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (heard !== undefined) {
    child.stdout?.on('data', (chunk: Buffer) => heard(chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => heard(chunk.toString()))
  }
  await ready(child, url)
  const stop = () => ended(child)
  return { pid: child.pid as number, url, startMs: performance.now() - began, stop, [Symbol.asyncDispose]: stop }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-saidMaxCharacters)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const until = performance.now() + startTimeoutMs
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode} while starting:\n${said}`)
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`it was not ready within ${startTimeoutMs} ms:\n${said}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await exit
  clearTimeout(force)
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Shop, shopAt } from './shop.ts'

const command = fileURLToPath(import.meta.resolve('trestle/package.json').replace(/package\.json$/, 'bin/trestle.js'))
const systemFolder = fileURLToPath(new URL('..', import.meta.url))
const startTimeoutMs = 120_000
const stopTimeoutMs = 20_000

/** One row of `trestle ps --json`. */
export interface ProcessRow {
  readonly service: string
  readonly pid: number
  readonly state: string
}

/** The store, started by the command line as a user starts it. */
export interface RunningStore extends AsyncDisposable {
  readonly shop: Shop
  readonly pid: number
  readonly startMs: number
  /** Runs a `trestle` command against it and answers what that printed. */
  trestle(...args: string[]): Promise<string>
  ps(): Promise<readonly ProcessRow[]>
  stop(): Promise<void>
}

/** Starts the store on free ports with its data in `dataDir` and waits until it is ready. */
export async function startStore(options: {
  readonly dataDir: string
  readonly topology: 'split' | 'merged'
  readonly products: number
}): Promise<RunningStore> {
  const [gatewayPort, adminPort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    TRESTLE_DATA_DIR: options.dataDir,
    TRESTLE_GATEWAY_PORT: String(gatewayPort),
    TRESTLE_ADMIN_PORT: String(adminPort),
    STORE_PRODUCTS: String(options.products),
  }
  const began = performance.now()
  const child = spawn(process.execPath, [command, 'start', systemFolder, '--topology', options.topology], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const shop = shopAt(`http://127.0.0.1:${gatewayPort}`)
  await ready(child, shop)
  const run = promisify(execFile)
  const trestle = async (...args: string[]) =>
    (await run(process.execPath, [command, ...args], { env, cwd: systemFolder, timeout: startTimeoutMs })).stdout
  const stop = () => ended(child)
  return {
    shop,
    pid: child.pid as number,
    startMs: performance.now() - began,
    trestle,
    ps: async () => rowsOf(JSON.parse(await trestle('ps', '--json')) as Listing),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Listing {
  readonly services: readonly { readonly service: string; readonly processes: readonly Omit<ProcessRow, 'service'>[] }[]
}

function rowsOf(listing: Listing): readonly ProcessRow[] {
  return listing.services.flatMap(({ service, processes }) => processes.map((process) => ({ ...process, service })))
}

async function ready(child: ChildProcess, shop: Shop): Promise<void> {
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const until = performance.now() + startTimeoutMs
  while (performance.now() < until) {
    if (child.exitCode !== null)
      throw new Error(`the store ended with status ${child.exitCode} while starting:\n${said}`)
    const answer = await shop.ask('GET', '/readyz').catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`the store was not ready within ${startTimeoutMs} ms:\n${said}`)
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

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, startCommand, trestleCommand } from './running-command.ts'
import { type Shop, shopAt } from './shop.ts'

const systemFolder = fileURLToPath(new URL('..', import.meta.url))
const commandTimeoutMs = 120_000

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
  const url = `http://127.0.0.1:${gatewayPort}`
  const started = await startCommand(['start', systemFolder, '--topology', options.topology], { url, env })
  const run = promisify(execFile)
  const trestle = async (...args: string[]) =>
    (await run(process.execPath, trestleCommand(...args), { env, cwd: systemFolder, timeout: commandTimeoutMs })).stdout
  const { pid, startMs, stop } = started
  return {
    shop: shopAt(url),
    pid,
    startMs,
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

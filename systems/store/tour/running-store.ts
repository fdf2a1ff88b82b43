import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, type RunningCommand, startCommand, trestleCommand } from './running-command.ts'
import { type Shop, shopAt } from './shop.ts'

const systemFolder = fileURLToPath(new URL('..', import.meta.url))
const paymentsFolder = fileURLToPath(new URL('../../payments', import.meta.url))
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
  /** Where the payment system is, a system of its own. */
  readonly paymentsUrl: string
  stop(): Promise<void>
}

/** Starts the store, and a payment system for it, on free ports with their data in `dataDir`; waits until both are ready. */
export async function startStore(options: {
  readonly dataDir: string
  readonly topology: 'split' | 'merged'
  readonly products: number
  readonly env?: Readonly<Record<string, string>>
  /** Told all that the store prints and logs; then it logs everything. */
  readonly heard?: (text: string) => void
}): Promise<RunningStore> {
  await using opened = new AsyncDisposableStack()
  const payments = opened.use(await startPayments(join(options.dataDir, 'payments')))
  const [gatewayPort, adminPort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    ...options.env,
    PAYMENTS_URL: payments.url,
    ...(options.heard === undefined ? {} : { TRESTLE_LOG_LEVEL: 'debug' }),
    TRESTLE_DATA_DIR: options.dataDir,
    TRESTLE_GATEWAY_PORT: String(gatewayPort),
    TRESTLE_ADMIN_PORT: String(adminPort),
    STORE_PRODUCTS: String(options.products),
  }
  const url = `http://127.0.0.1:${gatewayPort}`
  const { heard } = options
  const started = opened.use(
    await startCommand(['start', systemFolder, '--topology', options.topology], { url, env, heard }),
  )
  const run = promisify(execFile)
  const trestle = async (...args: string[]) =>
    (await run(process.execPath, trestleCommand(...args), { env, cwd: systemFolder, timeout: commandTimeoutMs })).stdout
  const { pid, startMs } = started
  const all = opened.move()
  const stop = () => all.disposeAsync()
  return {
    shop: shopAt(url),
    pid,
    startMs,
    trestle,
    paymentsUrl: payments.url,
    ps: async () => rowsOf(JSON.parse(await trestle('ps', '--json')) as Listing),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Its switches are on: buyers of the tour get their money from them. */
async function startPayments(dataDir: string): Promise<RunningCommand> {
  const port = await freePort()
  const env = {
    ...process.env,
    PAYMENTS_SWITCHES: 'on',
    TRESTLE_DATA_DIR: dataDir,
    TRESTLE_GATEWAY_PORT: String(port),
    TRESTLE_ADMIN_PORT: String(await freePort()),
  }
  const url = `http://127.0.0.1:${port}`
  return await startCommand(['start', paymentsFolder, '--topology', 'merged'], { url, env })
}

interface Listing {
  readonly services: readonly { readonly service: string; readonly processes: readonly Omit<ProcessRow, 'service'>[] }[]
}

function rowsOf(listing: Listing): readonly ProcessRow[] {
  return listing.services.flatMap(({ service, processes }) => processes.map((process) => ({ ...process, service })))
}

import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningCommand, startCommand } from 'trestle/testing'
import { type Shop, shopAt } from './shop.ts'

const systemFolder = fileURLToPath(new URL('..', import.meta.url))
const paymentsFolder = fileURLToPath(new URL('../../payments', import.meta.url))

/** One row of `trestle ps --json`. */
export interface ProcessRow {
  readonly service: string
  readonly pid: number
  readonly state: string
}

/** The store, started by the command line as a user starts it. */
export interface RunningStore extends AsyncDisposable, Pick<RunningCommand, 'pid' | 'startMs' | 'said' | 'trestle'> {
  readonly shop: Shop
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
}): Promise<RunningStore> {
  await using opened = new AsyncDisposableStack()
  const { dataDir, topology, products } = options
  // Database servers run as another user where we are root: where that one cannot pass, data would lie elsewhere and stay behind.
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o711)
  const payments = opened.use(await startPayments(join(dataDir, 'payments')))
  const env = { ...options.env, PAYMENTS_URL: payments.url, STORE_PRODUCTS: String(products) }
  const args = ['start', '--topology', topology]
  const store = opened.use(await startCommand(args, { cwd: systemFolder, dataDir, env }))
  // What becomes of payments is told from now on, not from the first time that the job is due: the store would ask after 15 s.
  await store.trestle('jobs', 'run', 'payments', 'register-webhook')
  const all = opened.move()
  const stop = () => all.disposeAsync()
  return {
    ...store,
    shop: shopAt(store.url),
    paymentsUrl: payments.url,
    ps: async () => rowsOf(JSON.parse(await store.trestle('ps', '--json')) as Listing),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Its switches are on: buyers of the tour get their money from them. */
function startPayments(dataDir: string): Promise<RunningCommand> {
  const env = { PAYMENTS_SWITCHES: 'on' }
  return startCommand(['start', paymentsFolder, '--topology', 'merged'], { dataDir, env })
}

interface Listing {
  readonly services: readonly { readonly service: string; readonly processes: readonly Omit<ProcessRow, 'service'>[] }[]
}

function rowsOf(listing: Listing): readonly ProcessRow[] {
  return listing.services.flatMap(({ service, processes }) => processes.map((process) => ({ ...process, service })))
}

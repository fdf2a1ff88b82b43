import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type FaultControl, faultControl, type FaultProxy, faultProxy, freePorts } from 'trestle/testing'
import { skuAt } from '../seed/product-at.ts'
import { stockAt } from '../seed/stock-at.ts'
import { signUp } from './people.ts'
import { type SmallDisk, smallDisk } from './small-disk.ts'
import { RunningSystem } from './running-system.ts'
import type { Buyer, Goods } from './world.ts'

/** How the store is placed in a run. */
export type TopologyName = 'merged' | 'split'

const storeFolder = fileURLToPath(new URL('..', import.meta.url))
const paymentsFolder = fileURLToPath(new URL('../../payments', import.meta.url))
const products = 60
const soldOften = 12
const plenty = 100_000

/** Data directories of a store that has people and goods, to begin each run with. */
export interface Template {
  readonly root: string
  readonly buyers: readonly Buyer[]
  readonly goods: Goods
}

/** Makes the directories in which runs begin. */
export async function makeTemplate(counts: {
  readonly buyers: number
  readonly scarceUnits: number
}): Promise<Template> {
  const root = await mkdtemp(join(tmpdir(), 'trestle-faults-'))
  // The database server runs as another user where we are root.
  await chmod(root, 0o711)
  const folder = join(root, 'template')
  await mkdir(folder, { mode: 0o711 })
  const [storeAt, paymentsAt] = [await ports(), await ports()]
  const place = { topology: 'merged', env: process.env, directory: folder } as const
  const payments = systemOf('payments', { ...place, ...paymentsAt, env: paymentsEnv({}) })
  const store = systemOf('store', { ...place, ...storeAt, env: storeEnv({ payments: payments.url, store: '' }) })
  try {
    await Promise.all([payments.start(), store.start()])
    const buyers = await signUp(store.url, payments.operator, counts.buyers)
    const skus = Array.from({ length: products }, (_, index) => skuAt(index))
    const rare = skus.findIndex((_, index) => stockAt(index) <= counts.scarceUnits)
    if (rare === -1) throw new RangeError(`no product has ${counts.scarceUnits} pieces or less`)
    const scarce = skus.splice(rare, 1)[0] as string
    const goods = { skus: skus.slice(0, soldOften), scarce, scarceUnits: counts.scarceUnits }
    for (const sku of goods.skus) await restock(store, sku, plenty)
    await restock(store, goods.scarce, goods.scarceUnits)
    return { root, buyers, goods }
  } finally {
    await Promise.all([payments.stop(), store.stop()])
  }
}

async function restock({ operator }: RunningSystem, sku: string, wanted: number): Promise<void> {
  const { onHand } = await operator.call<{ onHand: number }>('inventory', 'level', { sku })
  if (wanted > onHand) {
    await operator.call('inventory', 'restock', { sku, quantity: wanted - onHand, delivery: 'before the run' })
  }
}

/** All that runs in one run. */
export interface Stage extends AsyncDisposable {
  readonly topology: TopologyName
  readonly directory: string
  readonly store: RunningSystem
  readonly payments: RunningSystem
  readonly control: FaultControl
  readonly paymentsControl: FaultControl
  /** What the store asks of the payment system goes through here. */
  readonly toPayments: FaultProxy
  /** What the payment system tells the store comes through here. */
  readonly toStore: FaultProxy
  /** The store's data lie on a disk of their own, which can be full; else why not. */
  readonly disk: SmallDisk
}

/** Starts everything on a copy of the template. `prepare` may change what is to be loaded. */
export async function openStage(
  template: Template,
  topology: TopologyName,
  seed: number,
  prepare: (stage: Pick<Stage, 'control' | 'paymentsControl'>) => void = () => {},
): Promise<Stage> {
  const directory = join(template.root, `${topology}-${seed}-${Date.now() % 1_000_000}`)
  await using opened = new AsyncDisposableStack()
  // Keeps owners, which `fs.cp` does not.
  await promisify(execFile)('cp', ['-a', join(template.root, 'template'), directory])
  const disk = await smallDisk(join(directory, 'store'), join(template.root, 'template', 'store'), opened)
  const [storeAt, paymentsAt] = [await ports(), await ports()]
  const toPayments = opened.use(await faultProxy(paymentsAt.port))
  const toStore = opened.use(await faultProxy(storeAt.port))
  const control = faultControl({ directory: join(directory, 'control'), seed })
  const paymentsControl = faultControl({ directory: join(directory, 'payments-control'), seed })
  prepare({ control, paymentsControl })
  const payments = systemOf('payments', {
    directory,
    topology,
    ...paymentsAt,
    env: paymentsEnv(paymentsControl.env()),
  })
  const urls = { payments: toPayments.url, store: toStore.url }
  const store = systemOf('store', { directory, topology, ...storeAt, env: { ...storeEnv(urls), ...control.env() } })
  opened.defer(() => payments.stop())
  opened.defer(() => store.stop())
  await Promise.all([payments.start(), store.start()])
  const all = opened.move()
  return {
    topology,
    directory,
    store,
    payments,
    control,
    paymentsControl,
    toPayments,
    toStore,
    disk,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

interface Place {
  readonly directory: string
  readonly topology: TopologyName
  readonly port: number
  readonly adminPort: number
  readonly env: NodeJS.ProcessEnv
}

function systemOf(name: 'store' | 'payments', { directory, ...place }: Place): RunningSystem {
  return new RunningSystem({
    name,
    folder: name === 'store' ? storeFolder : paymentsFolder,
    dataDir: join(directory, name),
    logFile: join(directory, `${name}.log`),
    ...place,
  })
}

async function ports(): Promise<{ readonly port: number; readonly adminPort: number }> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  return { port, adminPort }
}

function storeEnv({ payments, store }: { readonly payments: string; readonly store: string }): NodeJS.ProcessEnv {
  return {
    ...process.env,
    STORE_PRODUCTS: String(products),
    PAYMENTS_URL: payments,
    ...(store === '' ? {} : { STORE_URL: store }),
  }
}

function paymentsEnv(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, PAYMENTS_SWITCHES: 'on', ...more }
}

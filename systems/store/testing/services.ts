import {
  type Caller,
  createCalls,
  createServiceHandle,
  type Log,
  type ServiceDefinition,
  type ServiceDeps,
} from 'trestle/service'
import { type OpenStore, openStore, type StoreProvider } from 'trestle/store'
import { testStores } from 'trestle/testing'
import accountsService from '../accounts/service.ts'
import { accounts } from '../accounts/contract.ts'
import { carts } from '../carts/contract.ts'
import cartsService from '../carts/service.ts'
import { catalogue } from '../catalogue/contract.ts'
import catalogueService from '../catalogue/service.ts'
import { inventory } from '../inventory/contract.ts'
import inventoryService from '../inventory/service.ts'
import { orders } from '../orders/contract.ts'
import ordersService from '../orders/service.ts'

const contracts = { accounts, carts, catalogue, inventory, orders }
const definitions = {
  accounts: accountsService,
  carts: cartsService,
  catalogue: catalogueService,
  inventory: inventoryService,
  orders: ordersService,
}

export type ServiceName = keyof typeof definitions
type Send = ServiceDeps['send']
export type SentCall = Parameters<Send>[0]

/** Services of the store in this process over real databases, without a gateway, and with a clock that can be moved. */
export interface Services extends AsyncDisposable {
  /** The services, called by a user, or by whoever is given. */
  as(caller: Caller | string): ReturnType<ReturnType<typeof clients>>
  store<Tables>(name: ServiceName): OpenStore<Tables>
  /** Runs a job once, now. */
  runJob(service: ServiceName, job: string): Promise<void>
  /** Moves the wall clock forward. */
  readonly pass: (ms: number) => void
  /**
   * Looks at each call before it is sent. What it throws becomes the failure of the call; the function that it returns
   * is run when the reply is there, before the caller gets it.
   */
  watch(look: ((call: SentCall) => (() => void) | void) | undefined): void
  /** Delays replies: the caller gets one when the promise for its call is settled. */
  hold(until: ((call: SentCall) => Promise<void> | undefined) | undefined): void
}

const clients = (deps: Parameters<typeof createCalls>[1]) => createCalls(contracts, deps)

/** Starts the named services, with so few products that a test can wait for them. */
export async function startServices(names: readonly ServiceName[], products = 200): Promise<Services> {
  await using opened = new AsyncDisposableStack()
  const provider = opened.adopt(await testStores(), (each) => each.close())
  const clock = movableClock()
  let look: Parameters<Services['watch']>[0]
  let until: Parameters<Services['hold']>[0]
  const handles = new Map<string, Send>()
  const send: Send = async (call) => {
    const after = look?.(call)
    const handle = handles.get(call.contract)
    if (handle === undefined) throw new Error(`${call.contract} was not started for this test`)
    const reply = await handle(call)
    await until?.(call)
    after?.()
    return reply
  }
  const stores = new Map<ServiceName, OpenStore<unknown>>()
  process.env.STORE_PRODUCTS = String(products)
  process.env.STORE_PASSWORD_BLOCKS = '1024'
  for (const name of names) {
    const definition = definitions[name]
    const store = await openedStore(definition, provider, opened)
    stores.set(name, store)
    await definition.hooks.start?.({ store, progress: () => {}, signal: never, log, now: clock.now, newId })
    const deps = { store, send, clock, newId, random: Math.random, log, mayCall: () => true }
    handles.set(contracts[name].id, createServiceHandle(definition, deps).handle)
  }
  const callsFor = clients({ from: 'operator', send, clock })
  const all = opened.move()
  return {
    as: (caller) => callsFor({ caller: typeof caller === 'string' ? user(caller) : caller, trace }),
    store: <Tables>(name: ServiceName) => stores.get(name) as OpenStore<Tables>,
    async runJob(service, name) {
      const job = definitions[service].hooks.jobs?.find((each) => each.name === name)
      const store = stores.get(service)
      if (job === undefined || store === undefined) throw new Error(`${service} has no job ${name}`)
      const call = clients({ from: service, send, clock })({ caller: self, trace })
      await job.run({ store, call, progress: () => {}, signal: never, log, now: clock.now, newId })
    },
    pass: clock.pass,
    watch(next) {
      look = next
    },
    hold(next) {
      until = next
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

const log: Log = { info() {}, warn() {}, error() {} }
const trace = { traceId: '1'.repeat(32), spanId: '1'.repeat(16), sampled: false }
const never = new AbortController().signal
const self: Caller = { kind: 'service', id: 'test', scopes: [] }

/** A user who may do what everybody may who signs up. */
export function user(id: string): Caller {
  return { kind: 'user', id, scopes: ['orders:read', 'orders:write'] }
}

let ids = 0
const newId = () => {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${(++ids).toString(16).padStart(12, '0')}`
}

async function openedStore(definition: ServiceDefinition, provider: StoreProvider, opened: AsyncDisposableStack) {
  if (definition.store === undefined) throw new Error(`${definition.name} has no store`)
  const store = openStore(definition.store, await provider.connectionFor(definition.name))
  opened.defer(() => store.close())
  await store.migrate()
  return store
}

function movableClock() {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now(),
    setTimeout(fn: () => void, ms: number) {
      const timer = setTimeout(fn, ms)
      timer.unref()
      return { cancel: () => clearTimeout(timer) }
    },
    pass: (ms: number) => {
      ahead += ms
    },
  }
}

import { randomUUID } from 'node:crypto'
import { type RunningStore, startStore } from '../../systems/store/tour/running-store.ts'
import { type Ask, askOnce } from './load.ts'
import { usageOfTree } from './process-tree.ts'

export type Topology = 'split' | 'merged'

export interface StartFigures {
  /** From the command to the first answered request, milliseconds. */
  readonly wallMs: number
  /** Of Trestle's processes until then, milliseconds. */
  readonly cpuMs: number
  readonly postgresCpuMs: number
}

const firstAsk: Ask = {
  name: 'the first request',
  path: '/products?limit=1',
  isRight: (body) => body.includes('"sku"'),
}

/** Starts the store as a user does, and asks until it has answered. */
export async function timedStart(
  topology: Topology,
  dataDir: string,
  products: number,
): Promise<{ readonly store: RunningStore; readonly start: StartFigures }> {
  const store = await startStore({ dataDir, topology, products })
  const began = performance.now()
  await askOnce(new URL(firstAsk.path, store.shop.url), firstAsk)
  const wallMs = store.startMs + performance.now() - began
  const { node, postgres } = usageOfTree(store.pid)
  return {
    store,
    start: { wallMs, cpuMs: node.cpuMicros / 1_000, postgresCpuMs: postgres.cpuMicros / 1_000 },
  }
}

/** What a visitor asks most: a product, a search, and an own order, for which the session is looked up each time. */
export async function journey({ shop }: RunningStore): Promise<readonly Ask[]> {
  const account = { email: `${randomUUID()}@example.org`, password: randomUUID() }
  await shop.ask('POST', '/users', { body: { ...account, name: 'Bench' } })
  const { body: session } = await shop.ask('POST', '/sessions', { body: account })
  const token = session.token as string
  const { body: found } = await shop.ask('GET', '/products?query=lamp&limit=1')
  const { id, sku } = found.items[0] as { readonly id: string; readonly sku: string }
  await shop.ask('PUT', `/cart/items/${sku}`, { body: { quantity: 1 }, token })
  const { body: order } = await shop.ask('POST', '/orders', { body: {}, token, key: randomUUID() })
  const orderId = order.id as string
  return [
    { name: 'GET /products/{id}', path: `/products/${id}`, isRight: (body) => body.includes(id) },
    { name: 'GET /products?query=', path: '/products?query=lamp&limit=20', isRight: (body) => body.includes(sku) },
    {
      name: 'GET /orders/{id}',
      path: `/orders/${orderId}`,
      headers: { authorization: `Bearer ${token}` },
      isRight: (body) => body.includes(orderId),
    },
  ]
}

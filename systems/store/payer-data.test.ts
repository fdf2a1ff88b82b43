import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skuAt } from './seed/product-at.ts'
import { stockAt } from './seed/stock-at.ts'
import { paymentSystemAt } from './testing/buyer.ts'
import { orderThat } from './tour/order-that.ts'
import { type RunningStore, startStore } from './tour/running-store.ts'

const services = [
  'accounts',
  'carts',
  'catalogue',
  'inventory',
  'notifications',
  'orders',
  'payments',
  'recommendations',
  'shipping',
]

describe('who pays', () => {
  let dataDir: string
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trestle-payer-'))
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  // The second start is quick: the databases are there.
  it.each(['merged', 'split'] as const)(
    'is nowhere in the databases, the events and the logs of the store, %s',
    { timeout: 240_000 },
    async (topology) => {
      await using store = await startStore({ dataDir, topology, products: 100, env: { TRESTLE_LOG_LEVEL: 'debug' } })
      const payments = await paymentSystemAt(store.paymentsUrl)
      const rich = await payments.newBuyer('9000.00')
      const poor = await payments.newBuyer('0.01')
      const token = await signedIn(store)
      const paid = await ordered(store, token)
      await payments.approve(rich, paid.approveUrl)
      await orderThat(store.shop, paid.id, token, ({ status }) => status === 'confirmed')
      await store.shop.ask('POST', `/orders/${paid.id}/cancel`, { body: {}, token })
      expect(await orderThat(store.shop, paid.id, token, ({ status }) => status === 'cancelled')).toBeDefined()
      const declined = await ordered(store, token)
      await payments.approve(poor, declined.approveUrl)
      expect(await orderThat(store.shop, declined.id, token, ({ status }) => status === 'rejected')).toBeDefined()

      const dumps = []
      for (const service of services) dumps.push(await store.trestle('store', 'dump', service))
      // What is looked for would be found: the payment's own numbers are here, and so are events and their payloads.
      const all = dumps.join('\n')
      for (const kept of [paid.id, 'capture_id', 'saga_steps', `"orderId":"${paid.id}"`]) expect(all).toContain(kept)
      const logged = store.said()
      expect(logged).toContain('payments')
      // All of it: no more than that is kept.
      expect(logged.length).toBeLessThan(10_000_000)
      const [seen, said] = [all.toLowerCase(), logged.toLowerCase()]
      for (const payer of [rich, poor]) {
        for (const datum of [payer.email, payer.name, payer.payerId, payer.token, payer.payerId.replaceAll('-', '')]) {
          expect({ datum, stored: seen.includes(datum.toLowerCase()) }).toEqual({ datum, stored: false })
          expect({ datum, logged: said.includes(datum.toLowerCase()) }).toEqual({ datum, logged: false })
        }
      }
    },
  )
})

async function signedIn({ shop }: RunningStore): Promise<string> {
  const [email, password] = [`${randomUUID()}@example.org`, 'correct horse battery']
  await shop.ask('POST', '/users', { body: { email, password, name: 'Ada' } })
  return (await shop.ask('POST', '/sessions', { body: { email, password } })).body.token
}

async function ordered({ shop }: RunningStore, token: string) {
  const sku = skuAt(Array.from({ length: 100 }, (_, index) => index).findIndex((index) => stockAt(index) >= 10))
  await shop.ask('PUT', `/cart/items/${sku}`, { body: { quantity: 1 }, token })
  const placed = await shop.ask('POST', '/orders', { body: {}, token, key: randomUUID() })
  const order = await orderThat(shop, placed.body.id, token, ({ approveUrl }) => approveUrl !== null)
  return order as { readonly id: string; readonly approveUrl: string }
}

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { productAt, skuAt } from '../seed/product-at.ts'
import { type Services, startServices, user } from '../testing/services.ts'
import { recommendations } from './contract.ts'
import { count, forCustomer, togetherWith } from './counts.ts'
import type { RecommendationsTables } from './tables.ts'

let services: Services

beforeAll(async () => {
  services = await startServices([
    'catalogue',
    'carts',
    'inventory',
    'orders',
    'payments',
    'shipping',
    'recommendations',
  ])
})
afterAll(() => services[Symbol.asyncDispose]())

interface Counts {
  readonly items: readonly { readonly sku: string; readonly orders: number }[]
  readonly next: string | null
}

const ada = randomUUID()
const skusOf = ({ items }: { items: readonly { sku: string }[] }) => items.map((item) => item.sku)
const db = () => services.store<RecommendationsTables>('recommendations').db

async function order(shopper: string, ...indexes: number[]): Promise<void> {
  for (const index of indexes) await services.as(user(shopper)).carts.setItem({ sku: skuAt(index), quantity: 1 })
  await services.as(user(shopper)).orders.place({}, { key: randomUUID() })
}

describe('recommendations', () => {
  it('say what was ordered together, most often first, at the prices of now', async () => {
    const anyone = services.as({ kind: 'anonymous', id: '', scopes: [] }).recommendations
    expect(await anyone.forCaller({})).toEqual({ items: [] })
    const { id, sku } = productAt(10)
    expect(await anyone.forProduct({ id })).toEqual({ items: [] })
    await order(randomUUID(), 10, 11, 12)
    await order(randomUUID(), 10, 12)
    await order(ada, 10)
    await services.settled()
    const { items } = await anyone.forProduct({ id })
    expect(items).toMatchObject([{ ...productView(12) }, { ...productView(11) }])
    expect(skusOf(await anyone.forProduct({ id, limit: 1 }))).toEqual([skuAt(12)])
    expect(skusOf(await anyone.forCaller({}))).toEqual([sku, skuAt(12), skuAt(11)])
    expect(skusOf(await services.as(user(ada)).recommendations.forCaller({}))).toEqual([skuAt(12), skuAt(11)])
    expect(await anyone.forProduct.try({ id: randomUUID() })).toMatchObject({ error: { code: 'product_not_found' } })
  })

  it('count each order once, many at a time, and of a long order its first products', async () => {
    const customerId = randomUUID()
    const skus = Array.from({ length: 30 }, (_, index) => `LNG-${String(index).padStart(6, '0')}`)
    const bought = Array.from({ length: 500 }, (_, at) => ({ customerId, skus: [...skus, ...skus], at }))
    await count(db(), bought)
    const together = await togetherWith(db(), 'LNG-000000', 100)
    expect(together).toEqual(skus.slice(1, 20))
    const { orders } = await db()
      .selectFrom('sold')
      .select('orders')
      .where('sku', '=', 'LNG-000000')
      .executeTakeFirstOrThrow()
    expect(orders).toBe(500)
  })

  it('show an operator in how many orders each product is, page by page', async () => {
    const customerId = randomUUID()
    await count(db(), [
      { customerId, skus: ['ZZZ-000001', 'ZZZ-000002'], at: 1 },
      { customerId, skus: ['ZZZ-000002'], at: 2 },
    ])
    const found: unknown[] = []
    let cursor: string | null | undefined
    do {
      const page: Counts = await services.client(recommendations).counts({ limit: 2, ...(cursor && { cursor }) })
      expect(page.items.length).toBeLessThanOrEqual(2)
      found.push(...page.items)
      cursor = page.next
    } while (cursor !== null)
    expect(found.slice(-2)).toEqual([
      { sku: 'ZZZ-000001', orders: 1 },
      { sku: 'ZZZ-000002', orders: 2 },
    ])
  })

  it('do not recommend what one has ordered', async () => {
    const customerId = randomUUID()
    const [a, b, c] = ['OWN-000001', 'OWN-000002', 'OWN-000003']
    await count(db(), [{ customerId: randomUUID(), skus: [a, b, c], at: 1 }])
    await count(db(), [{ customerId, skus: [a, b], at: 2 }])
    expect(await forCustomer(db(), customerId, 10)).toEqual([c])
  })
})

function productView(index: number) {
  const { id, sku, name, priceAmount } = productAt(index)
  return { id, sku, name, price: { amount: priceAmount, currency: 'EUR' } }
}

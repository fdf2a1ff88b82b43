import { describe, expect, it } from 'vitest'
import { ordersService, stockService } from '../service/fixtures/services.ts'
import { orders, stock } from '../service/fixtures/shop.ts'
import { serviceHarness } from './service-harness.ts'

describe('a harness of services', () => {
  it('runs several services that call each other', async () => {
    const harness = serviceHarness({ services: [ordersService(), stockService()] })
    expect(await harness.client(orders).place({ lines: [] }, { key: 'k' })).toEqual({ id: 'o' })
    expect(harness.observations.map(({ operation, code }) => `${operation} ${code}`)).toEqual([
      'reserve ok',
      'place ok',
    ])
  })

  it('says that a service which is not there is `unavailable`, unless the test answers for it', async () => {
    const alone = serviceHarness({ services: [] })
    expect(await alone.client(stock).count.try({ sku: 's' })).toMatchObject({ error: { code: 'unavailable' } })
    const answered = serviceHarness({
      services: [],
      answer: async () => ({ ok: true, status: 200, body: { kind: 'value', value: { count: 3 } } }),
    })
    expect(await answered.client(stock).count({ sku: 's' })).toEqual({ count: 3 })
    expect(() => alone.service('stock')).toThrow('no service stock')
  })

  it('holds a `uses` that was not declared against a service', async () => {
    const harness = serviceHarness({ services: [ordersService(), stockService()] })
    const asStock = harness.client(orders, { from: 'stock' })
    expect(await asStock.settle.try({ id: 'a' })).toMatchObject({ error: { code: 'undeclared_use' } })
  })
})

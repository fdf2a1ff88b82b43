import { describe, expect, it } from 'vitest'
import { Product, Sku } from '../catalogue/contract.ts'
import { categories } from './departments.ts'
import { productAt, skuAt } from './product-at.ts'
import { productCount } from './product-count.ts'
import { stockAt } from './stock-at.ts'

const sample = Array.from({ length: 2_000 }, (_, index) => productAt(index))

describe('the seed', () => {
  it('makes the same product from the same number, on every machine', () => {
    expect(productAt(4711)).toMatchInlineSnapshot(`
      {
        "category": "sports-running",
        "description": "A competition running vest of recycled polyester. Made for club evenings. The warranty is five years.",
        "id": "f088d501-00af-8306-a305-d3fe16eb14fe",
        "name": "Fjordvik competition running vest, M, sand",
        "priceAmount": 6500,
        "sku": "SPO-004711",
      }
    `)
  })

  it('makes only products that the contract allows', () => {
    for (const { priceAmount, ...product } of sample) {
      Product.parse({ ...product, price: { amount: priceAmount, currency: 'EUR' }, priceVersion: 1 })
      expect(priceAmount).toBeGreaterThan(0)
    }
    expect(Sku.safeParse(skuAt(999_999)).success).toBe(true)
  })

  it('gives every product an id and a stock keeping unit of its own', () => {
    expect(new Set(sample.map((product) => product.id)).size).toBe(sample.length)
    expect(new Set(sample.map((product) => product.sku)).size).toBe(sample.length)
  })

  it('fills every category evenly and hardly ever repeats a name', () => {
    const counts = Map.groupBy(sample, (product) => product.category)
    expect(counts.size).toBe(40)
    expect(categories.length).toBe(40)
    for (const products of counts.values()) expect(products.length).toBe(50)
    expect(new Set(sample.map((product) => product.name)).size).toBeGreaterThan(sample.length * 0.95)
  })

  it('has most things in stock, some rare and some sold out', () => {
    const levels = sample.map((_, index) => stockAt(index))
    expect(levels.filter((level) => level === 0).length).toBeGreaterThan(10)
    expect(levels.filter((level) => level === 0).length).toBeLessThan(80)
    expect(levels.filter((level) => level >= 10).length).toBeGreaterThan(1_600)
    expect(Math.max(...levels)).toBeLessThan(500)
  })
})

describe('STORE_PRODUCTS', () => {
  it('is 100,000 unless it is said', () => {
    expect(productCount({})).toBe(100_000)
    expect(productCount({ STORE_PRODUCTS: '500' })).toBe(500)
  })

  it.each(['many', '-1', '1.5', '2000000'])('is refused as %s', (said) => {
    expect(() => productCount({ STORE_PRODUCTS: said })).toThrow(/STORE_PRODUCTS/)
  })
})

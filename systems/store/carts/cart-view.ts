import { type Money, sum, times } from '../money.ts'
import type { CartItem } from './cart-rows.ts'

/** What a cart needs to know of a product. */
export interface PricedProduct {
  readonly sku: string
  readonly name: string
  readonly price: Money
}

/** The cart as its owner sees it, at the prices of now. What is no longer sold is left out. */
export function cartView(items: readonly CartItem[], products: readonly PricedProduct[]) {
  const bySku = new Map(products.map((product) => [product.sku, product]))
  const lines = items.flatMap(({ sku, quantity }) => {
    const product = bySku.get(sku)
    if (product === undefined) return []
    return [{ sku, name: product.name, quantity, price: product.price, total: times(product.price, quantity) }]
  })
  return { lines, total: sum(lines.map((line) => line.total)) }
}

import type { Kysely } from 'kysely'
import { productById } from './read-products.ts'
import type { CatalogueTables } from './tables.ts'

export interface PriceChange {
  readonly id: string
  readonly amount: number
  readonly expectedVersion?: number | undefined
  readonly changedBy: string
  readonly at: Date
}

/**
 * Adds a price version and makes it the price of now; nothing when it is the price already.
 * @returns the product as it is then; `undefined` when there is none; the current version when another was expected
 */
export async function changePrice(db: Kysely<CatalogueTables>, change: PriceChange) {
  // One change of a product at a time, so that versions follow each other.
  const locked = await db.selectFrom('products').select('id').where('id', '=', change.id).forUpdate().executeTakeFirst()
  const product = locked === undefined ? undefined : await productById(db, change.id)
  if (product === undefined || product.price.amount === change.amount) return product
  const { priceVersion } = product
  if (change.expectedVersion !== undefined && change.expectedVersion !== priceVersion) return priceVersion
  await db
    .insertInto('prices')
    .values({
      product_id: change.id,
      version: priceVersion + 1,
      amount: String(change.amount),
      currency: product.price.currency,
      valid_from: change.at,
      changed_by: change.changedBy,
    })
    .execute()
  return {
    ...product,
    price: { ...product.price, amount: change.amount },
    priceVersion: priceVersion + 1,
  }
}

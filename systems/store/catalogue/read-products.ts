import type { Kysely } from 'kysely'
import type { CatalogueTables } from './tables.ts'

export interface PricedRow {
  readonly id: string
  readonly sku: string
  readonly name: string
  readonly description: string
  readonly category: string
  readonly price_version: number
  readonly amount: string
  readonly currency: string
}

/** A row as the contract shows it. */
export function productOf({ id, sku, name, description, category, price_version, amount, currency }: PricedRow) {
  return {
    id,
    sku,
    name,
    description,
    category,
    price: { amount: Number(amount), currency },
    priceVersion: price_version,
  }
}

/** Products with their prices of now. */
function priced(db: Kysely<CatalogueTables>) {
  return db
    .selectFrom('products')
    .innerJoin('prices', (join) =>
      join.onRef('prices.product_id', '=', 'products.id').onRef('prices.version', '=', 'products.price_version'),
    )
    .select(['id', 'sku', 'name', 'description', 'category', 'price_version', 'amount', 'currency'])
}

/** One product with its price of now. */
export async function productById(db: Kysely<CatalogueTables>, id: string) {
  const row = await priced(db).where('products.id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : productOf(row)
}

/** The products with these stock keeping units, in no order; unknown ones are left out. */
export async function productsBySku(db: Kysely<CatalogueTables>, skus: readonly string[]) {
  if (skus.length === 0) return []
  const rows = await priced(db).where('products.sku', 'in', skus).execute()
  return rows.map(productOf)
}

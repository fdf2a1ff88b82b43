import type { Kysely } from 'kysely'
import type { CatalogueTables } from './tables.ts'

export interface PricedRow {
  readonly id: string
  readonly sku: string
  readonly name: string
  readonly description: string
  readonly category: string
  readonly version: number
  readonly amount: string
  readonly currency: string
}

/** A row as the contract shows it. */
export function productOf({ id, sku, name, description, category, version, amount, currency }: PricedRow) {
  return {
    id,
    sku,
    name,
    description,
    category,
    price: { amount: Number(amount), currency },
    priceVersion: version,
  }
}

/** The price of now of the product in `products` of the query around it. */
export function latestPrice(db: Kysely<CatalogueTables>) {
  return db
    .selectFrom('prices')
    .select(['version', 'amount', 'currency'])
    .whereRef('product_id', '=', 'products.id' as never)
    .orderBy('version', 'desc')
    .limit(1)
    .as('price')
}

/** Products with their prices of now. */
function priced(db: Kysely<CatalogueTables>) {
  return db
    .selectFrom('products')
    .innerJoinLateral(latestPrice(db), (join) => join.onTrue())
    .select(['id', 'sku', 'name', 'description', 'category', 'version', 'amount', 'currency'])
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

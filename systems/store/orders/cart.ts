import type { Kysely } from 'kysely'
import type { FrozenLine } from './order-rows.ts'
import type { OrdersTables } from './tables.ts'

type Db = Kysely<OrdersTables>

/** Up to which version a customer's cart has been ordered. */
export async function orderedUpTo(db: Db, customerId: string): Promise<number> {
  const row = await db
    .selectFrom('ordered_carts')
    .select('version')
    .where('customer_id', '=', customerId)
    .executeTakeFirst()
  return row?.version ?? 0
}

/** Notes that a cart has been ordered up to a version; `false` when another order was first since it was read. */
export async function markOrdered(db: Db, customerId: string, was: number, version: number): Promise<boolean> {
  const marked = await db
    .insertInto('ordered_carts')
    .values({ customer_id: customerId, version })
    .onConflict((conflict) =>
      conflict.column('customer_id').doUpdateSet({ version }).where('ordered_carts.version', '=', was),
    )
    .returning('version')
    .executeTakeFirst()
  return marked !== undefined
}

type Product = Pick<FrozenLine, 'sku' | 'name' | 'price'>

/** The cart's lines with their names and prices of now; the unit of a product that is gone instead. */
export function freeze(
  lines: readonly { readonly sku: string; readonly quantity: number }[],
  products: readonly Product[],
): readonly FrozenLine[] | { readonly gone: string } {
  const bySku = new Map(products.map((product) => [product.sku, product]))
  const frozen: FrozenLine[] = []
  for (const { sku, quantity } of lines) {
    const product = bySku.get(sku)
    if (product === undefined) return { gone: sku }
    frozen.push({ sku, name: product.name, quantity, price: product.price })
  }
  return frozen
}

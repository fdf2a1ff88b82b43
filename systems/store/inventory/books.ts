import { type Kysely, sql } from 'kysely'
import type { InventoryTables } from './tables.ts'

export interface Delivery {
  readonly sku: string
  readonly quantity: number
  /** Number of the delivery note. */
  readonly delivery: string
  readonly at: Date
}

/** Books a delivery once; answers how many there are then, `undefined` when the product is unknown. */
export async function bookDelivery(db: Kysely<InventoryTables>, { sku, quantity, delivery, at }: Delivery) {
  const stock = await db.selectFrom('stock').select('on_hand').where('sku', '=', sku).forUpdate().executeTakeFirst()
  if (stock === undefined) return undefined
  const booked = await db
    .insertInto('movements')
    .values({ sku, kind: 'delivery', reference: delivery, quantity, at })
    .onConflict((conflict) => conflict.columns(['sku', 'kind', 'reference']).doNothing())
    .returning('quantity')
    .executeTakeFirst()
  if (booked === undefined) return stock.on_hand
  await db
    .updateTable('stock')
    .set({ on_hand: stock.on_hand + quantity })
    .where('sku', '=', sku)
    .execute()
  return stock.on_hand + quantity
}

/** The books of one product: what there is, and what came and went. */
export async function levelOf(db: Kysely<InventoryTables>, sku: string) {
  return await levels(db).where('stock.sku', '=', sku).executeTakeFirst()
}

/** The books of the products behind a unit, in their order. */
export async function levelsBehind(db: Kysely<InventoryTables>, sku: string | null, limit: number) {
  const some = levels(db).orderBy('stock.sku').limit(limit)
  return await (sku === null ? some : some.where('stock.sku', '>', sku)).execute()
}

function levels(db: Kysely<InventoryTables>) {
  return db
    .selectFrom('stock')
    .select(['sku', 'on_hand as onHand', 'reserved', 'initial'])
    .select([moved({ delivery: 1 }).as('restocked'), moved({ sale: 1, return: -1 }).as('sold')])
}

function moved(sign: { readonly delivery?: number; readonly sale?: number; readonly return?: number }) {
  return sql<number>`(
    select coalesce(sum(quantity * case kind
      when 'delivery' then ${sign.delivery ?? 0}::integer
      when 'sale' then ${sign.sale ?? 0}::integer
      else ${sign.return ?? 0}::integer end), 0)::integer
    from movements where movements.sku = stock.sku)`
}

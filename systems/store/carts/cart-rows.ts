import { type Kysely, sql } from 'kysely'
import { linesMax } from './contract.ts'
import type { CartsTables } from './tables.ts'

export interface CartItem {
  readonly sku: string
  readonly quantity: number
}

type Db = Kysely<CartsTables>

/**
 * A cart's lines in the order in which they came, and the version that they are of.
 * @param after only the lines that came or were changed behind this version
 */
export async function readCart(db: Db, userId: string, after = 0) {
  // One statement, so that lines and version are of the same moment.
  const rows = await db
    .selectFrom('carts')
    .leftJoin('cart_lines', (join) =>
      join.onRef('cart_lines.user_id', '=', 'carts.user_id').on('changed_in', '>', after),
    )
    .select(['carts.version', 'sku', 'quantity'])
    .where('carts.user_id', '=', userId)
    .orderBy('added_in')
    .orderBy('sku')
    .execute()
  const lines = rows.flatMap(({ sku, quantity }) => (sku === null || quantity === null ? [] : [{ sku, quantity }]))
  return { version: rows[0]?.version ?? 0, lines }
}

/** Sets the quantity of a line; `false` when the cart has no room for another line. */
export async function setLine(db: Db, userId: string, { sku, quantity }: CartItem): Promise<boolean> {
  const version = await nextVersion(db, userId)
  const known = await db
    .updateTable('cart_lines')
    .set({ quantity, changed_in: version })
    .where('user_id', '=', userId)
    .where('sku', '=', sku)
    .returning('sku')
    .executeTakeFirst()
  if (known !== undefined) return true
  const { count } = await db
    .selectFrom('cart_lines')
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (count >= linesMax) return false
  const line = { user_id: userId, sku, quantity, changed_in: version, added_in: version }
  await db.insertInto('cart_lines').values(line).execute()
  return true
}

/** Takes a line out, if it is there. */
export async function removeLine(db: Db, userId: string, sku: string): Promise<void> {
  await nextVersion(db, userId)
  await db.deleteFrom('cart_lines').where('user_id', '=', userId).where('sku', '=', sku).execute()
}

/** Takes out the lines that have not changed since `version`. */
export async function clearLines(db: Db, userId: string, version: number): Promise<void> {
  await db.deleteFrom('cart_lines').where('user_id', '=', userId).where('changed_in', '<=', version).execute()
}

/** Locks the cart and gives it its next version; what changes it waits here. */
async function nextVersion(db: Db, userId: string): Promise<number> {
  const { version } = await db
    .insertInto('carts')
    .values({ user_id: userId, version: 1 })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ version: sql`carts.version + 1` }))
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

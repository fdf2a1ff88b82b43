import { type Kysely, sql } from 'kysely'
import type { StartArgs } from 'trestle/service'
import { storeCurrency } from '../money.ts'
import { departments } from '../seed/departments.ts'
import { productAt } from '../seed/product-at.ts'
import type { CatalogueTables } from './tables.ts'

const batchRows = 5_000

/**
 * Loads the seed up to product number `count`. A batch and the note of how far it came commit together: a start that
 * was killed goes on where it was, and replicas that start at once share the work, batch by batch.
 */
export async function loadProducts(
  { store, progress, signal, now }: StartArgs<CatalogueTables>,
  count: number,
): Promise<void> {
  await store.transaction(({ db }) => loadCategories(db))
  const { loaded: already } = await store.db.selectFrom('seed_progress').select('loaded').executeTakeFirstOrThrow()
  for (let loaded = already; loaded < count; ) {
    signal.throwIfAborted()
    loaded = await store.transaction(({ db }) => loadBatch(db, count, new Date(now())))
    progress(`${loaded.toLocaleString('en')} of ${count.toLocaleString('en')} products`)
  }
  if (already < count) await store.transaction(({ db }) => sql`analyze products, prices`.execute(db))
}

async function loadCategories(db: Kysely<CatalogueTables>): Promise<void> {
  const rows = departments.flatMap(({ id, name, categories }) => [
    { id, name, parent: null },
    ...categories.map((category) => ({ id: category.id, name: category.name, parent: id })),
  ])
  await db
    .insertInto('categories')
    .values(rows.map((row, position) => ({ ...row, position })))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

async function loadBatch(db: Kysely<CatalogueTables>, count: number, at: Date): Promise<number> {
  const { loaded } = await db.selectFrom('seed_progress').select('loaded').forUpdate().executeTakeFirstOrThrow()
  const batch = Array.from({ length: Math.max(0, Math.min(batchRows, count - loaded)) }, (_, i) =>
    productAt(loaded + i),
  )
  if (batch.length === 0) return loaded
  const ids = batch.map((product) => product.id)
  await Promise.all([
    sql`insert into products (id, sku, name, description, category)
      select id, sku, name, description, category
      from unnest(
        ${ids}::uuid[],
        ${batch.map((product) => product.sku)}::text[],
        ${batch.map((product) => product.name)}::text[],
        ${batch.map((product) => product.description)}::text[],
        ${batch.map((product) => product.category)}::text[]
      ) as seed (id, sku, name, description, category)`.execute(db),
    sql`insert into prices (product_id, version, amount, currency, valid_from, changed_by)
      select id, 1, amount, ${storeCurrency}, ${at}, 'seed'
      from unnest(${ids}::uuid[], ${batch.map((product) => product.priceAmount)}::bigint[]) as seed (id, amount)`.execute(
      db,
    ),
    db
      .updateTable('seed_progress')
      .set({ loaded: loaded + batch.length })
      .execute(),
  ])
  return loaded + batch.length
}

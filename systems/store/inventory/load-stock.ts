import { type Kysely, sql } from 'kysely'
import type { StartArgs } from 'trestle/service'
import { skuAt } from '../seed/product-at.ts'
import { stockAt } from '../seed/stock-at.ts'
import type { InventoryTables } from './tables.ts'

const batchRows = 20_000

/** Books the first stock of products 0 to `count`; goes on where a killed start was, and replicas share the work. */
export async function loadStock({ store, progress, signal }: StartArgs<InventoryTables>, count: number): Promise<void> {
  let { loaded } = await store.db.selectFrom('seed_progress').select('loaded').executeTakeFirstOrThrow()
  while (loaded < count) {
    signal.throwIfAborted()
    loaded = await store.transaction(({ db }) => loadBatch(db, count))
    progress(`stock of ${loaded.toLocaleString('en')} of ${count.toLocaleString('en')} products`)
  }
}

async function loadBatch(db: Kysely<InventoryTables>, count: number): Promise<number> {
  const { loaded } = await db.selectFrom('seed_progress').select('loaded').forUpdate().executeTakeFirstOrThrow()
  const length = Math.max(0, Math.min(batchRows, count - loaded))
  if (length === 0) return loaded
  const skus = Array.from({ length }, (_, i) => skuAt(loaded + i))
  const levels = Array.from({ length }, (_, i) => stockAt(loaded + i))
  await sql`insert into stock (sku, on_hand, initial)
    select sku, level, level from unnest(${skus}::text[], ${levels}::integer[]) as seed (sku, level)`.execute(db)
  await db
    .updateTable('seed_progress')
    .set({ loaded: loaded + length })
    .execute()
  return loaded + length
}

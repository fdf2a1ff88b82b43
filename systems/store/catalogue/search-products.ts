import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { latestPrice } from './read-products.ts'
import type { CatalogueTables } from './tables.ts'

export interface ProductSearch {
  readonly query?: string | undefined
  readonly category?: string | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

// Cursors are not signed: what is no rank, or none that a `real` can hold, must not reach the database.
const rankOf = z.number().min(0).max(1).transform(Math.fround)
const afterMatch = z.tuple([rankOf, z.uuid()])

/**
 * One page of products: the best matches first, and among equals (or without a query) in the order of their ids. Both
 * never change, so the pages are stable; the price is that of now. `undefined`: the cursor is not of this search.
 */
export async function searchProducts(db: Kysely<CatalogueTables>, { query, category, cursor, limit }: ProductSearch) {
  const list = ['products', query ?? null, category ?? null]
  const after = cursor === undefined ? null : placeOf(list, cursor, afterMatch)
  if (after === undefined) return undefined
  const rank = query === undefined ? sql<number>`0::real` : sql<number>`ts_rank(search, ${asTsQuery(query)})`
  let page = db
    .selectFrom('products')
    .select(['id', 'sku', 'name', 'description', 'category', rank.as('rank')])
    .limit(limit + 1)
  if (query !== undefined) {
    page = page.where(sql<boolean>`search @@ ${asTsQuery(query)}`).orderBy('rank', 'desc')
    if (after !== null) page = page.where(isBehind(rank, after))
  } else if (after !== null) {
    page = page.where('id', '>', after[1])
  }
  if (category !== undefined) page = page.where('category', 'in', withinCategory(db, category))
  // Prices are looked up for the rows of the page only.
  const rows = await db
    .selectFrom(page.orderBy('id').as('products'))
    .innerJoinLateral(latestPrice(db), (join) => join.onTrue())
    .selectAll()
    .orderBy('rank', 'desc')
    .orderBy('id')
    .execute()
  return cutPage(rows, limit, (last) => cursorBehind(list, [last.rank, last.id]))
}

/** A minus before no word negates nothing; PostgreSQL fails when more than 32 of them follow each other. */
const idleMinus = /-(?![\p{L}\p{N}"])/gu

function asTsQuery(query: string) {
  return sql`websearch_to_tsquery('english', ${query.replaceAll(idleMinus, ' ')})`
}

function isBehind(rank: ReturnType<typeof sql<number>>, [lastRank, lastId]: readonly [number, string]) {
  return sql<boolean>`(${rank} < ${lastRank}::real or (${rank} = ${lastRank}::real and id > ${lastId}::uuid))`
}

function withinCategory(db: Kysely<CatalogueTables>, category: string) {
  return db
    .selectFrom('categories')
    .select('id')
    .where((either) => either.or([either('id', '=', category), either('parent', '=', category)]))
}

import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import type { CatalogueTables } from './tables.ts'

export interface ProductSearch {
  readonly query?: string | undefined
  readonly category?: string | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

const afterMatch = z.tuple([z.number(), z.uuid()])

/**
 * One page of products: the best matches first, and among equals (or without a query) in the order of their ids. Both
 * never change, so the pages are stable; the price is that of now. `undefined`: the cursor is not of this search.
 */
export async function searchProducts(db: Kysely<CatalogueTables>, { query, category, cursor, limit }: ProductSearch) {
  const list = ['products', query ?? null, category ?? null]
  const after = cursor === undefined ? null : placeOf(list, cursor, afterMatch)
  if (after === undefined) return undefined
  const rank = query === undefined ? sql<number>`0::real` : sql<number>`ts_rank(search, ${asTsQuery(query)})`
  const rows = await db
    .with('page', (page) => {
      let wanted = page
        .selectFrom('products')
        .select(['id', 'sku', 'name', 'description', 'category', 'price_version', rank.as('rank')])
        .limit(limit + 1)
      if (query !== undefined) {
        wanted = wanted.where(sql<boolean>`search @@ ${asTsQuery(query)}`).orderBy('rank', 'desc')
        if (after !== null) wanted = wanted.where(isBehind(rank, after))
      } else if (after !== null) {
        wanted = wanted.where('id', '>', after[1])
      }
      if (category !== undefined) wanted = wanted.where('category', 'in', withinCategory(db, category))
      return wanted.orderBy('id')
    })
    .selectFrom('page')
    .innerJoin('prices', (join) =>
      join.onRef('prices.product_id', '=', 'page.id').onRef('prices.version', '=', 'page.price_version'),
    )
    .select(['id', 'sku', 'name', 'description', 'category', 'price_version', 'rank', 'amount', 'currency'])
    .orderBy('rank', 'desc')
    .orderBy('id')
    .execute()
  return cutPage(rows, limit, (last) => cursorBehind(list, [last.rank, last.id]))
}

function asTsQuery(query: string) {
  return sql`websearch_to_tsquery('english', ${query})`
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

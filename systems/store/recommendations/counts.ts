import { type Kysely, sql } from 'kysely'
import type { RecommendationsTables } from './tables.ts'

type Db = Kysely<RecommendationsTables>

/** What an order says about what goes together. */
export interface Bought {
  readonly customerId: string
  readonly skus: readonly string[]
  readonly at: number
}

/** Of a long order the first products count: pairs grow with the square. */
const countedSkusMax = 20
/** What a customer ordered last says what may please next. */
const lastOrderedMax = 20

/** Adds orders to the counts, in one statement for each table. */
export async function count(db: Db, bought: readonly Bought[]): Promise<void> {
  const orders = bought.map(({ skus, ...rest }) => ({ ...rest, skus: [...new Set(skus)].slice(0, countedSkusMax) }))
  const skus = orders.flatMap((order) => order.skus)
  const pairs = orders.flatMap((order) => pairsOf(order.skus))
  const mine = orders.flatMap(({ customerId, at, skus: each }) => each.map((sku) => ({ customerId, at, sku })))
  // In the order of their keys, so that two of these never wait for each other.
  await sql`insert into sold as s (sku, orders)
    select sku, count(*) from unnest(${skus}::text[]) as new (sku) group by sku order by sku
    on conflict (sku) do update set orders = s.orders + excluded.orders`.execute(db)
  await sql`insert into sold_together as t (sku, other, orders)
    select sku, other, count(*) from unnest(${pairs.map(([a]) => a)}::text[], ${pairs.map(([, b]) => b)}::text[]) as new (sku, other)
    group by sku, other order by sku, other
    on conflict (sku, other) do update set orders = t.orders + excluded.orders`.execute(db)
  await sql`insert into ordered as o (customer_id, sku, last_at)
    select customer, sku, to_timestamp(max(at) / 1000.0)
    from unnest(${mine.map((each) => each.customerId)}::uuid[], ${mine.map((each) => each.sku)}::text[],
      ${mine.map((each) => each.at)}::double precision[]) as new (customer, sku, at)
    group by customer, sku order by customer, sku
    on conflict (customer_id, sku) do update set last_at = greatest(o.last_at, excluded.last_at)`.execute(db)
}

/** What is ordered together with a product, most often first. */
export async function togetherWith(db: Db, sku: string, limit: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('sold_together')
    .select('other')
    .where('sku', '=', sku)
    .orderBy('orders', 'desc')
    .orderBy('other')
    .limit(limit)
    .execute()
  return rows.map((row) => row.other)
}

/** What goes with what a customer ordered last and has not ordered; nothing for who has ordered nothing. */
export async function forCustomer(db: Db, customerId: string, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ other: string }>`
    with mine as (select sku, last_at from ordered where customer_id = ${customerId})
    select other from sold_together
    where sku in (select sku from mine order by last_at desc, sku limit ${lastOrderedMax})
      and other not in (select sku from mine)
    group by other order by sum(orders) desc, other limit ${limit}`.execute(db)
  return rows.map((row) => row.other)
}

/** What is in the most orders. */
export async function soldMost(db: Db, limit: number): Promise<readonly string[]> {
  const rows = await db.selectFrom('sold').select('sku').orderBy('orders', 'desc').orderBy('sku').limit(limit).execute()
  return rows.map((row) => row.sku)
}

/** In how many orders each product is; `limit` of them behind a unit. */
export async function countsBehind(db: Db, sku: string | null, limit: number) {
  let rows = db.selectFrom('sold').select(['sku', 'orders'])
  if (sku !== null) rows = rows.where('sku', '>', sku)
  return await rows.orderBy('sku').limit(limit).execute()
}

function pairsOf(skus: readonly string[]): readonly (readonly [string, string])[] {
  return skus.flatMap((sku) => skus.filter((other) => other !== sku).map((other) => [sku, other] as const))
}

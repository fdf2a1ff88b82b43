import { sql } from 'kysely'
import { impl } from '../implementation.ts'

/** Rows of one answer. */
const rowsMax = 10_000

interface Row {
  readonly at: Date
  readonly key_id: string | null
  readonly route: string | null
  readonly status_class: string | null
  readonly requests: string
  readonly units: string
}

export const usage = impl.handler('usage', async ({ input, store, fail, now }) => {
  const { keyId, owner, route, by, groups } = input
  const from = input.from === undefined ? monthOf(now()) : new Date(input.from)
  const to = input.to === undefined ? new Date(now()) : new Date(input.to)
  const column = (group: (typeof groups)[number], name: string) =>
    groups.includes(group) ? sql.ref(name) : sql`null::text`
  // What is asked for in coarser steps than it is kept in is summed; in finer ones it cannot be told.
  const at = by === 'total' ? sql`${from}::timestamptz` : sql`date_trunc(${by}, at, 'UTC')`
  const { rows } = await sql<Row>`
    select ${at} as at, ${column('key', 'key_id')} as key_id, ${column('route', 'route')} as route,
      ${column('status', 'status_class')} as status_class, sum(requests)::bigint as requests, sum(units)::bigint as units
    from usage
    where at >= ${from} and at < ${to}
      and (${keyId ?? null}::text is null or key_id = ${keyId ?? null})
      and (${route ?? null}::text is null or route = ${route ?? null})
      and (${owner ?? null}::text is null or key_id in (select id from api_keys where api_keys.owner = ${owner ?? null}))
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    limit ${rowsMax + 1}`.execute(store.db)
  if (rows.length > rowsMax) return fail('too_much_usage')
  return rows.map((row) => ({
    keyId: row.key_id,
    route: row.route,
    statusClass: row.status_class,
    from: row.at.toISOString(),
    requests: Number(row.requests),
    units: Number(row.units),
  }))
})

function monthOf(nowMs: number): Date {
  const date = new Date(nowMs)
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1))
}

import { sql } from 'kysely'
import type { AccessDb } from '../implementation.ts'

const dayMs = 86_400_000

/** How long minutes, hours and days are kept, milliseconds. */
const usageKeptMs = { minute: 7 * dayMs, hour: 35 * dayMs, day: 400 * dayMs }
/** How long the last batch number of a gateway process is kept: nobody sends a batch again so late. */
const instancesKeptMs = 7 * dayMs

/** Makes hours of old minutes and days of old hours, and forgets old days. Safe on several replicas at once. */
export async function rollUpUsage(db: AccessDb, nowMs: number): Promise<void> {
  await widen(db, 'minute', 'hour', new Date(nowMs - usageKeptMs.minute))
  await widen(db, 'hour', 'day', new Date(nowMs - usageKeptMs.hour))
  await sql`delete from usage where width = 'day' and at < ${new Date(nowMs - usageKeptMs.day)}`.execute(db)
  await db
    .deleteFrom('usage_instances')
    .where('changed_at', '<', new Date(nowMs - instancesKeptMs))
    .execute()
}

/** One statement: rows are moved, never in both widths and never in none. Whole steps only. */
async function widen(db: AccessDb, from: 'minute' | 'hour', to: 'hour' | 'day', before: Date): Promise<void> {
  await sql`
    with moved as (
      delete from usage where width = ${from} and at < date_trunc(${to}, ${before}::timestamptz, 'UTC') returning *
    )
    insert into usage (width, at, key_id, route, status_class, requests, units)
    select ${to}, date_trunc(${to}, at, 'UTC'), key_id, route, status_class, sum(requests), sum(units)
    from moved
    group by 2, 3, 4, 5
    order by 2, 3, 4, 5
    on conflict (width, at, key_id, route, status_class) do update
    set requests = usage.requests + excluded.requests, units = usage.units + excluded.units`.execute(db)
}

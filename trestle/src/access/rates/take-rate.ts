import { sql } from 'kysely'
import type { AccessDb } from '../implementation.ts'
import { impl } from '../implementation.ts'

/** Sums of fractions of a millisecond are not exact: a microsecond counts for nothing. */
const toleranceMs = 0.001

/**
 * One step of the generic cell rate algorithm in one statement, by the database's clock: what is refused changes
 * nothing. The row is locked from reading to writing, so that no two gateways take the same unit.
 */
export const takeRate = impl.handler('takeRate', async ({ input, store }) => {
  const { key, cost, emissionMs, burstMs } = input
  const costMs = sql`${cost * emissionMs}::float8`
  // What is given back is always taken.
  const mostMs = sql`${cost < 0 ? Number.POSITIVE_INFINITY : burstMs + toleranceMs}::float8`
  const next = sql`greatest(rates.tat_ms, excluded.now_ms) + ${costMs}`
  const { rows } = await sql<{ allowed: boolean; tat_ms: number; now_ms: number }>`
    insert into rates (key, tat_ms, now_ms, allowed)
    select ${key}, case when ${costMs} <= ${mostMs} then now_ms + ${costMs} else now_ms end, now_ms, ${costMs} <= ${mostMs}
    from (select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms) as clock
    on conflict (key) do update set
      tat_ms = case when ${next} - excluded.now_ms <= ${mostMs} then ${next} else rates.tat_ms end,
      allowed = ${next} - excluded.now_ms <= ${mostMs},
      now_ms = excluded.now_ms
    returning allowed, tat_ms, now_ms`.execute(store.db)
  const row = rows[0]
  if (row === undefined) throw new Error('a step of a rate gave no row')
  return { allowed: row.allowed, tatMs: row.tat_ms, nowMs: row.now_ms }
})

/** A counter without debt is as good as none. */
export async function forgetRates(db: AccessDb): Promise<void> {
  await sql`delete from rates where tat_ms < extract(epoch from clock_timestamp()) * 1000`.execute(db)
}

import { sql } from 'kysely'
import type { AccessDb } from '../implementation.ts'
import { impl } from '../implementation.ts'

/** How long the spent units of a period are kept, milliseconds: longer than any period, for whoever looks back. */
const keptMs = 90 * 86_400_000

/**
 * One statement: the row is locked from reading what was spent until the new sum is written, so takers come one after
 * the other and together never get more than is allowed.
 */
export const leaseQuota = impl.handler('leaseQuota', async ({ input, store, now }) => {
  const { subject, period, allow, units } = input
  const granted = sql<string>`least(${units}::bigint, greatest(0, ${allow}::bigint - quotas.spent))`
  const { rows } = await sql<{ granted: string; spent: string }>`
    insert into quotas (subject, period, spent, granted, changed_at)
    values (${subject}, ${period}, least(${units}::bigint, ${allow}::bigint), least(${units}::bigint, ${allow}::bigint),
      ${new Date(now())})
    on conflict (subject, period) do update
    set granted = ${granted}, spent = quotas.spent + ${granted}, changed_at = excluded.changed_at
    returning granted, spent`.execute(store.db)
  const row = rows[0]
  if (row === undefined) throw new Error('a lease gave no row')
  return { granted: Number(row.granted), spent: Number(row.spent) }
})

export const returnQuota = impl.handler('returnQuota', async ({ input: { leases }, store }) => {
  if (leases.length === 0) return
  await sql`
    update quotas set spent = greatest(0, spent - back.units)
    from (
      select subject, period, sum(units)::bigint as units
      from jsonb_to_recordset(${JSON.stringify(leases)}::jsonb) as r (subject text, period text, units bigint)
      group by subject, period
    ) as back
    where quotas.subject = back.subject and quotas.period = back.period`.execute(store.db)
})

export async function forgetQuotas(db: AccessDb, nowMs: number): Promise<void> {
  await db
    .deleteFrom('quotas')
    .where('changed_at', '<', new Date(nowMs - keptMs))
    .execute()
}

import { sql } from 'kysely'
import type { AccessDb } from '../implementation.ts'
import { impl } from '../implementation.ts'

/**
 * Adds a batch once: the instance's number goes up with the rows, in one transaction. Batches come one after the other,
 * so a number that is not higher was counted before.
 */
export const recordUsage = impl.handler('recordUsage', async ({ input, store, now }) => {
  const { instance, sequence, rows, lastUsed } = input
  await store.transaction(async ({ db }) => {
    if (!(await isNew(db, instance, sequence, new Date(now())))) return
    if (rows.length > 0) await addRows(db, rows)
    if (lastUsed.length > 0) await noteLastUsed(db, lastUsed)
  })
})

async function isNew(db: AccessDb, instance: string, sequence: number, at: Date): Promise<boolean> {
  const row = await db
    .insertInto('usage_instances')
    .values({ instance, sequence, changed_at: at })
    .onConflict((conflict) =>
      conflict
        .column('instance')
        .doUpdateSet({ sequence, changed_at: at })
        .where('usage_instances.sequence', '<', String(sequence)),
    )
    .returning('instance')
    .executeTakeFirst()
  return row !== undefined
}

/** Ordered, so that two batches do not wait for each other in a circle. */
async function addRows(db: AccessDb, rows: readonly object[]): Promise<void> {
  await sql`
    insert into usage (width, at, key_id, route, status_class, requests, units)
    select 'minute', date_trunc('minute', to_timestamp("minuteMs" / 1000.0)), "keyId", route, "statusClass",
      sum(requests), sum(units)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r ("minuteMs" bigint, "keyId" text, route text, "statusClass" text, requests bigint, units bigint)
    group by 2, 3, 4, 5
    order by 2, 3, 4, 5
    on conflict (width, at, key_id, route, status_class) do update
    set requests = usage.requests + excluded.requests, units = usage.units + excluded.units`.execute(db)
}

async function noteLastUsed(db: AccessDb, lastUsed: readonly object[]): Promise<void> {
  await sql`
    update api_keys set last_used_at = used.at
    from (
      select locked.id, used.at
      from (
        select "keyId" as id, date_trunc('minute', to_timestamp(max("atMs") / 1000.0)) as at
        from jsonb_to_recordset(${JSON.stringify(lastUsed)}::jsonb) as r ("keyId" text, "atMs" bigint)
        group by 1
      ) as used
      join api_keys as locked on locked.id = used.id
      order by locked.id
      for update of locked
    ) as used
    where api_keys.id = used.id and (last_used_at is null or last_used_at < used.at)`.execute(db)
}

import type { Kysely } from 'kysely'
import type { WebhooksTables } from './tables.ts'

/** How one delivery misbehaves. */
export interface Disturbance {
  readonly late_ms: number
  readonly repeated: number
}

const perRunMax = 200

/** For tests with switches: has new deliveries made late or more often, before they are sent. */
export async function disturbNew(
  db: Kysely<WebhooksTables>,
  ask: () => Promise<Disturbance>,
  now: () => number,
): Promise<void> {
  const fresh = await db
    .selectFrom('deliveries')
    .select(['id', 'event_id', 'webhook_id', 'url'])
    .where('disturbed', '=', false)
    .where('state', '=', 'pending')
    .orderBy('created_at')
    .limit(perRunMax)
    .execute()
  for (const { id, ...rest } of fresh) {
    const { late_ms, repeated } = await ask()
    const at = new Date(now())
    const next_at = new Date(at.getTime() + late_ms)
    const late = late_ms > 0 ? { next_at } : {}
    await db
      .updateTable('deliveries')
      .set({ ...late, disturbed: true })
      .where('id', '=', id)
      .execute()
    const again = Array.from({ length: repeated }, () => ({
      ...rest,
      id: crypto.randomUUID(),
      next_at,
      created_at: at,
      disturbed: true,
    }))
    if (again.length > 0) await db.insertInto('deliveries').values(again).execute()
  }
}

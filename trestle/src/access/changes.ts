import type { AccessDb } from './implementation.ts'
import { impl } from './implementation.ts'
import { allPlans } from './plans/plan-rows.ts'

/** Changes that one answer lists; beyond, everything is to be forgotten. */
const listedMax = 1_000
/** How long a change can be asked for, milliseconds. A gateway that was away for longer forgets everything. */
const keptMs = 3_600_000

/**
 * Notes in the transaction at hand that a key, or with `null` a plan, has changed. The counter's row is locked until the
 * commit: whoever reads number n has seen every number before it.
 */
export async function noteChange(db: AccessDb, keyId: string | null, at: Date): Promise<void> {
  const { sequence } = await db
    .updateTable('change_counter')
    .set((row) => ({ sequence: row('sequence', '+', '1') }))
    .returning('sequence')
    .executeTakeFirstOrThrow()
  await db.insertInto('changes').values({ sequence, key_id: keyId, at }).execute()
}

export const changes = impl.handler('changes', async ({ input: { since }, store }) => {
  const rows = await store.db
    .selectFrom('change_counter')
    .leftJoin('changes', (join) =>
      join.onRef('changes.sequence', '<=', 'change_counter.sequence').on('changes.sequence', '>', String(since)),
    )
    .select(['change_counter.sequence as last', 'changes.sequence', 'changes.key_id'])
    .orderBy('changes.sequence')
    .limit(listedMax + 1)
    .execute()
  const sequence = Number(rows[0]?.last ?? 0)
  const listed = rows.filter((row) => row.sequence !== null)
  // Numbers are without gaps: one that is missing was forgotten. A higher one than ours is of another database.
  const reset = since === 0 || since > sequence || listed.length > listedMax || listed.length < sequence - since
  if (reset) return { sequence, reset, keyIds: [], plans: await allPlans(store.db) }
  const keyIds = new Set(listed.flatMap(({ key_id }) => key_id ?? []))
  const plansChanged = listed.some(({ key_id }) => key_id === null)
  return { sequence, reset, keyIds: [...keyIds], plans: plansChanged ? await allPlans(store.db) : null }
})

export async function forgetChanges(db: AccessDb, nowMs: number): Promise<void> {
  await db
    .deleteFrom('changes')
    .where('at', '<', new Date(nowMs - keptMs))
    .execute()
}

import { noteChange } from '../changes.ts'
import { impl } from '../implementation.ts'
import { allPlans, planOf, planRow } from './plan-rows.ts'

export const listPlans = impl.handler('listPlans', ({ store }) => allPlans(store.db))

export const putPlan = impl.handler('putPlan', async ({ input, store, fail, now }) => {
  const row = planRow(input, false)
  const written = await store.transaction(async ({ db }) => {
    const plan = await db
      .insertInto('plans')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row).where('plans.declared', '=', false))
      .returningAll()
      .executeTakeFirst()
    if (plan !== undefined) await noteChange(db, null, new Date(now()))
    return plan
  })
  return written === undefined ? fail('plan_declared') : planOf(written)
})

export const removePlan = impl.handler('removePlan', async ({ input: { name }, store, fail, now }) => {
  const refusal = await store.transaction(async ({ db }) => {
    // A key that is being put on the plan holds this row, too.
    const plan = await db.selectFrom('plans').select('declared').where('name', '=', name).forUpdate().executeTakeFirst()
    if (plan === undefined) return 'plan_not_found'
    if (plan.declared) return 'plan_declared'
    const used = await db
      .selectFrom('api_keys')
      .select('id')
      .where('plan', '=', name)
      .where('revoked_at', 'is', null)
      .limit(1)
      .executeTakeFirst()
    if (used !== undefined) return 'plan_in_use'
    await db.deleteFrom('plans').where('name', '=', name).execute()
    await noteChange(db, null, new Date(now()))
    return undefined
  })
  if (refusal !== undefined) fail(refusal)
})

/** A plan that is no longer declared stays, and is the operators' from then on: keys may be on it. */
export const declarePlans = impl.handler('declarePlans', async ({ input: { plans }, store, now }) => {
  await store.transaction(
    async ({ db }) => {
      const before = new Map((await allPlans(db)).map((plan) => [plan.name, JSON.stringify(plan)]))
      const names = plans.map(({ name }) => name)
      const released = db.updateTable('plans').set({ declared: false }).where('declared', '=', true)
      await (names.length === 0 ? released : released.where('name', 'not in', names)).execute()
      for (const plan of plans) {
        const row = planRow(plan, true)
        await db
          .insertInto('plans')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
          .execute()
      }
      const after = await allPlans(db)
      const same = after.length === before.size && after.every((plan) => before.get(plan.name) === JSON.stringify(plan))
      if (!same) await noteChange(db, null, new Date(now()))
    },
    { isolation: 'serializable', retries: 5 },
  )
})

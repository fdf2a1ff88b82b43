import type { Kysely } from 'kysely'
import type { JobArgs } from 'trestle/service'
import type { PlanName } from '../plans.ts'
import type { BillingTables } from './tables.ts'
import type { uses } from './uses.ts'

type SettleWork = Pick<JobArgs<typeof uses, BillingTables>, 'call' | 'store'>

const perRunMax = 1_000

/** What an account is subscribed to; free since ever when it never changed. */
export async function subscriptionOf(db: Kysely<BillingTables>, accountId: string) {
  const row = await db
    .selectFrom('subscriptions')
    .select(['plan', 'since'])
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return { plan: row?.plan ?? 'free', since: row?.since.toISOString() ?? null } as const
}

/**
 * Writes down what an account is subscribed to from `at` on, and since when it pays for it. When another replica, or a request
 * that got the row first, wrote down something later, it is from then on: no period ends before it starts.
 */
export async function changePlan(
  store: SettleWork['store'],
  accountId: string,
  plan: PlanName,
  at: Date,
): Promise<void> {
  await store.transaction(async ({ db }) => {
    await db
      .insertInto('subscriptions')
      .values({ account_id: accountId, plan: 'free', since: at, keys_due: false })
      .onConflict((conflict) => conflict.column('account_id').doNothing())
      .execute()
    const before = await db
      .selectFrom('subscriptions')
      .select(['plan', 'since'])
      .where('account_id', '=', accountId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (before.plan === plan) return
    const since = before.since > at ? before.since : at
    await db
      .updateTable('subscriptions')
      .set({ plan, since, keys_due: true })
      .where('account_id', '=', accountId)
      .execute()
    await db
      .updateTable('periods')
      .set({ ends_at: since })
      .where('account_id', '=', accountId)
      .where('ends_at', 'is', null)
      .execute()
    if (plan === 'free') return
    const period = { account_id: accountId, plan, starts_at: since, ends_at: null }
    await db
      .insertInto('periods')
      .values(period)
      .onConflict((conflict) => conflict.columns(['account_id', 'starts_at']).doUpdateSet({ plan, ends_at: null }))
      .execute()
  })
}

/** Puts all keys of an account on its plan. Whoever is interrupted leaves it due; `settleDue` goes on. */
export async function settle({ call, store }: SettleWork, accountId: string): Promise<void> {
  const { plan } = await subscriptionOf(store.db, accountId)
  let cursor: string | undefined
  do {
    const page = await call.access.listKeys({
      owner: accountId,
      limit: 100,
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const key of page.items) {
      if (key.plan !== plan && key.revokedAt === null) await call.access.updateKey({ id: key.id, plan })
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  await store.db
    .updateTable('subscriptions')
    .set({ keys_due: false })
    .where('account_id', '=', accountId)
    .where('plan', '=', plan)
    .execute()
}

/** Goes on with what was interrupted. */
export async function settleDue(work: SettleWork): Promise<void> {
  const due = await work.store.db
    .selectFrom('subscriptions')
    .select('account_id')
    .where('keys_due', '=', true)
    .limit(perRunMax)
    .execute()
  for (const { account_id } of due) await settle(work, account_id)
}

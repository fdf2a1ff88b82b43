import type { Selectable } from 'kysely'
import type { AccessDb } from '../implementation.ts'
import type { PlansTable } from '../tables.ts'

/** A plan as it is written down. */
export interface WrittenPlan {
  readonly name: string
  readonly title: string | null
  readonly routes: readonly string[]
  readonly quotas: readonly { readonly per: 'day' | 'month'; readonly allow: number; readonly of: 'owner' | 'key' }[]
  readonly limits: readonly { readonly allow: number; readonly windowMs: number; readonly burst?: number | undefined }[]
}

export function planOf({ name, title, routes, quotas, limits, declared }: Selectable<PlansTable>) {
  return { name, title, routes, quotas, limits, declared }
}

export async function allPlans(db: AccessDb) {
  return (await db.selectFrom('plans').selectAll().orderBy('name').execute()).map(planOf)
}

export function planRow({ name, title, routes, quotas, limits }: WrittenPlan, declared: boolean) {
  return {
    name,
    title,
    routes: JSON.stringify(routes),
    quotas: JSON.stringify(quotas),
    limits: JSON.stringify(limits),
    declared,
  }
}

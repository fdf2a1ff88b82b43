import { PlanLimit, PlanName, PlanQuota } from '../access/plan-schema.ts'

/** What the callers on a plan may use, and how much of it. */
export interface PlanOptions {
  /** For people; at most 200 characters. */
  readonly title?: string
  /**
   * Names of routes: `lookup.find` or `GET /legacy/*`, `lookup.*` for all of a contract, `*` for all. Default `['*']`.
   * Whatever is missing here is 403 `plan_required` for the callers on this plan.
   */
  readonly routes?: readonly string[]
  /** Units per day or month of UTC; at most four. Beyond: `quota_exceeded` until the period ends. */
  readonly quotas?: readonly PlanQuotaOptions[]
  /** Rate limits, each owner by itself; at most four. Beyond: 429 `rate_limited`. */
  readonly limits?: readonly PlanLimitOptions[]
}

/** So many units in each day or month. */
export interface PlanQuotaOptions {
  readonly per: 'day' | 'month'
  /** 0 to 1,000,000,000,000. */
  readonly allow: number
  /** `owner` (default): all keys of an owner share it; `key`: each key has it for itself. */
  readonly of?: 'owner' | 'key'
}

/** So many requests in each stretch of time (GCRA). */
export interface PlanLimitOptions {
  /** Units per window in the long run, 1 to 1,000,000,000. */
  readonly allow: number
  /** 1 ms to 31 days. */
  readonly windowMs: number
  /** Units that may be taken at once; default `allow`. */
  readonly burst?: number
}

/** A plan as data, with every default filled in. */
export interface PlanSpec {
  readonly kind: 'plan'
  readonly title: string | null
  readonly routes: readonly string[]
  readonly quotas: readonly { readonly per: 'day' | 'month'; readonly allow: number; readonly of: 'owner' | 'key' }[]
  readonly limits: readonly { readonly allow: number; readonly windowMs: number; readonly burst?: number | undefined }[]
}

/**
 * What callers on a plan may do. A key is on one plan; a token may name one.
 * @throws TypeError for numbers that make no quota or limit
 * @example gateway({ authenticate: [apiKeys()], routes: [expose(lookup)], plans: {
 *   free: plan({ routes: ['lookup.find'], quotas: [{ per: 'day', allow: 1_000 }], limits: [{ allow: 1, windowMs: 1_000 }] }),
 *   premium: plan({ quotas: [{ per: 'day', allow: 100_000 }] }),
 * } })
 */
export function plan(options: PlanOptions = {}): PlanSpec {
  const { title = null, routes = ['*'], quotas = [], limits = [] } = options
  if (title !== null && title.length > 200) throw new TypeError('plan: a title has at most 200 characters')
  if (routes.length > 1_000 || routes.some((route) => route.length < 1 || route.length > 255)) {
    throw new TypeError('plan: routes are at most 1,000 names of 1 to 255 characters')
  }
  if (quotas.length > 4 || limits.length > 4) throw new TypeError('plan: at most four quotas and four limits')
  return {
    kind: 'plan',
    title,
    routes,
    quotas: quotas.map((quota) => read(PlanQuota, quota, 'a quota has per, allow (0 or more) and of')),
    limits: limits.map((limit) => read(PlanLimit, limit, 'a limit has allow, windowMs and burst, from 1')),
  }
}

function read<T>(
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
  value: object,
  form: string,
): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data as T
  throw new TypeError(`plan: ${form}, not ${JSON.stringify(value)}`)
}

/** @throws TypeError for a name that no plan can have */
export function checkPlanNames(plans: Readonly<Record<string, PlanSpec>>): void {
  for (const name of Object.keys(plans)) {
    if (!PlanName.safeParse(name).success) {
      throw new TypeError(
        `gateway: a plan cannot be called ${JSON.stringify(name)}: lower case letters, digits, hyphens`,
      )
    }
  }
}

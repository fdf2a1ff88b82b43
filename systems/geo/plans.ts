/** What an account can be on. */
export const planNames = ['free', 'premium'] as const
export type PlanName = (typeof planNames)[number]

/** What a month of a plan costs, in minor units of `currency`; the days of a month cost the same. */
export const monthlyPrice: Readonly<Record<PlanName, number>> = { free: 0, premium: 4_900 }
export const currency = 'EUR'

/** The plan of a caller: of an operator the whole product, of a key that says none the least. */
export function planOf(caller: { readonly kind: string; readonly plan?: string }): PlanName {
  if (caller.kind === 'operator') return 'premium'
  return planNames.find((name) => name === caller.plan) ?? 'free'
}

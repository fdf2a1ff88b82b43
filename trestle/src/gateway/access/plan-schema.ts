import { z } from 'zod'

/** What a plan may be called. */
export const PlanName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/)
  .describe('Lower case letters, digits and hyphens')

/** So many units in a day or a month of UTC. */
export const PlanQuota = z.object({
  per: z.enum(['day', 'month']),
  allow: z.int().min(0).max(1_000_000_000_000),
  of: z
    .enum(['owner', 'key'])
    .default('owner')
    .describe('Who shares it: all keys of an owner together, or each key by itself'),
})

/** A rate limit of everybody on the plan, each by itself. */
export const PlanLimit = z.object({
  allow: z.int().min(1).max(1_000_000_000),
  windowMs: z.int().min(1).max(2_678_400_000),
  burst: z.int().min(1).max(1_000_000_000).optional(),
})

/** What callers on a plan may do. */
export const Plan = z
  .object({
    name: PlanName,
    title: z.string().max(200).nullable().default(null),
    routes: z
      .array(z.string().min(1).max(255))
      .max(1_000)
      .default(['*'])
      .describe('Names of routes, `lookup.*` for all of a contract, `*` for all'),
    quotas: z.array(PlanQuota).max(4).default([]),
    limits: z.array(PlanLimit).max(4).default([]),
    declared: z.boolean().describe('In the configuration: an operator cannot change it'),
  })
  .meta({ id: 'Plan' })

import { z } from 'zod'
import { page, pageInput, problem } from '../../contract/index.ts'
import { Plan, PlanName } from './plan-schema.ts'

/** A key as an operator may see it: never the secret. */
const ApiKey = z
  .object({
    id: z.string().describe('Stays the same when the key is rotated'),
    name: z.string(),
    owner: z.string().describe("Whoever the key was made for: a customer, an application; the caller's `tenant`"),
    environment: z.string(),
    prefix: z.string().describe('The first characters of the newest secret, to recognise it by'),
    plan: z.string().nullable(),
    scopes: z.array(z.string()),
    enabled: z.boolean(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().describe('To the minute'),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' })

/** What a gateway decides by when it is shown a key. */
export const KeyRecord = z.object({
  id: z.string(),
  owner: z.string(),
  plan: z.string().nullable(),
  scopes: z.array(z.string()),
  state: z.enum(['valid', 'disabled', 'revoked']),
  expiresAtMs: z
    .number()
    .nullable()
    .describe('Milliseconds since 1970; of the key, or of the secret that is being rotated out, whichever is first'),
})

const NewKey = z
  .object({ key: ApiKey, secret: z.string().describe('Shown this once; only its hash is kept') })
  .meta({ id: 'NewApiKey' })

/** Requests of one key, route and status class in one stretch of time; `null`: of all of them. */
const Usage = z
  .object({
    keyId: z.string().nullable(),
    route: z.string().nullable(),
    statusClass: z.string().nullable().describe('`2xx`'),
    from: z.iso.datetime().describe('Begin of the stretch, UTC'),
    requests: z.int(),
    units: z.int().describe('What counted against a quota'),
  })
  .meta({ id: 'Usage' })

/** What `usage` can tell apart. */
const UsageGroup = z.enum(['key', 'route', 'status'])

const Name = z.string().min(1).max(100)
const Scope = z.string().min(1).max(100)
const byId = z.object({ id: z.string().min(1).max(64) })

const errors = {
  key_not_found: problem(404, 'There is no such key'),
  key_revoked: problem(409, 'The key has been revoked; make a new one'),
  plan_not_found: problem(404, 'There is no such plan'),
  plan_declared: problem(409, 'The plan is declared in the configuration'),
  plan_in_use: problem(409, 'Keys are on this plan'),
  cursor_invalid: problem(400, 'The cursor is not one that this list gave out'),
  too_much_usage: problem(400, 'The answer would be too long; ask for a shorter time, a coarser step or fewer groups'),
}

/**
 * What operators and services may do with keys, plans and usage: the one description behind the contract `access`, which
 * has no routes, and the routes of the admin listener.
 */
export const specs = {
  createKey: {
    summary: 'Make a key and show its secret once',
    input: z.object({
      name: Name,
      owner: z.string().min(1).max(200),
      plan: PlanName.optional(),
      scopes: z.array(Scope).max(100).default([]),
      environment: z
        .string()
        .regex(/^[a-z]{1,10}$/)
        .default('live')
        .describe('Part of the secret, so that people see which key is a test key'),
      expiresAt: z.iso.datetime().optional(),
    }),
    output: NewKey,
    errors: { plan_not_found: errors.plan_not_found },
  },
  listKeys: {
    summary: 'Keys, newest first',
    input: z.object({ owner: z.string().max(200).optional(), ...pageInput() }),
    output: page(ApiKey),
    errors: { cursor_invalid: errors.cursor_invalid },
  },
  findKey: {
    summary: 'One key',
    input: byId,
    output: ApiKey,
    errors: { key_not_found: errors.key_not_found },
  },
  updateKey: {
    summary: 'Change name, plan, scopes, expiry, or switch a key off and on',
    input: byId.extend({
      name: Name.optional(),
      plan: PlanName.nullable().optional(),
      scopes: z.array(Scope).max(100).optional(),
      enabled: z.boolean().optional(),
      expiresAt: z.iso.datetime().nullable().optional(),
    }),
    output: ApiKey,
    errors: { key_not_found: errors.key_not_found, plan_not_found: errors.plan_not_found },
  },
  rotateKey: {
    summary: 'Make a new secret; the old one stays valid for a while',
    description: 'A secret that was being rotated out already ends at once: a key has two secrets at most.',
    input: byId.extend({
      graceMs: z.int().min(0).max(2_592_000_000).default(86_400_000).describe('Default a day, at most 30'),
    }),
    output: NewKey,
    errors: { key_not_found: errors.key_not_found, key_revoked: errors.key_revoked },
  },
  revokeKey: {
    summary: 'Refuse a key for good, everywhere within a second',
    input: byId,
    errors: { key_not_found: errors.key_not_found },
  },
  listPlans: { summary: 'Plans, by name', output: z.array(Plan) },
  putPlan: {
    summary: 'Make or change a plan',
    input: Plan.omit({ declared: true }),
    output: Plan,
    errors: { plan_declared: errors.plan_declared },
  },
  removePlan: {
    summary: 'Remove a plan that no key is on',
    input: z.object({ name: PlanName }),
    errors: {
      plan_not_found: errors.plan_not_found,
      plan_declared: errors.plan_declared,
      plan_in_use: errors.plan_in_use,
    },
  },
  usage: {
    summary: 'Requests and units by key, route and time',
    description: 'Minutes are kept for 7 days, then hours for 35 days, then days for 400 days; older usage is gone.',
    input: z.object({
      keyId: z.string().max(512).optional(),
      owner: z.string().max(200).optional(),
      route: z.string().max(255).optional(),
      from: z.iso.datetime().optional().describe('Default: the begin of this month'),
      to: z.iso.datetime().optional().describe('Not included; default: now'),
      by: z.enum(['minute', 'hour', 'day', 'month', 'total']).default('day'),
      groups: z.array(UsageGroup).max(3).default(['key', 'route', 'status']).describe('What is told apart'),
    }),
    output: z.array(Usage),
    errors: { too_much_usage: errors.too_much_usage },
  },
} as const

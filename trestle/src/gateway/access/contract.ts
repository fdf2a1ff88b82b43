import { z } from 'zod'
import {
  command,
  contract,
  del,
  get,
  page,
  pageInput,
  patch,
  post,
  problem,
  put,
  query,
  scopes,
} from '../../contract/index.ts'

const operator = scopes('operator')

/** A key as an operator may see it: never the secret. */
export const ApiKey = z
  .object({
    id: z.string().describe('Stays the same when the key is rotated'),
    name: z.string(),
    /** The caller's `tenant`. */
    owner: z.string().describe('Whoever the key was made for: a customer, an application'),
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

const NewKey = z.object({
  key: ApiKey,
  secret: z.string().describe('Shown this once; only its hash is kept'),
})

const Name = z.string().min(1).max(100)
const Scope = z.string().min(1).max(100)
const PlanName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)

/** What callers on a plan may do. */
export const Plan = z
  .object({
    name: PlanName,
    title: z.string().max(200).nullable(),
    routes: z.array(z.string()).describe('Names of routes, `lookup.*` for all of a contract, `*` for all'),
    quotas: z.array(z.object({ per: z.enum(['day', 'month']), allow: z.int().min(0) })),
    limits: z.array(z.object({ allow: z.int().min(1), windowMs: z.int().min(1), burst: z.int().min(1).optional() })),
    /** Declared in the configuration: it cannot be changed by an operator. */
    declared: z.boolean(),
  })
  .meta({ id: 'Plan' })

const Usage = z.object({
  keyId: z.string().nullable(),
  route: z.string().nullable(),
  statusClass: z.string().nullable().describe('`2xx`'),
  from: z.iso.datetime(),
  requests: z.int(),
  units: z.int().describe('What counted against a quota'),
})

const errors = {
  key_not_found: problem(404, 'There is no such key'),
  plan_not_found: problem(404, 'There is no such plan'),
  plan_declared: problem(409, 'The plan is declared in the configuration'),
  plan_in_use: problem(409, 'Keys are on this plan'),
}
const byId = z.object({ id: z.string().min(1).max(64) })

/** What a gateway decides by when it is shown a key. */
export const KeyRecord = z.object({
  id: z.string(),
  owner: z.string(),
  plan: z.string().nullable(),
  scopes: z.array(z.string()),
  state: z.enum(['valid', 'disabled', 'expired']),
  /** Milliseconds since 1970; of the key, or of the secret that is being rotated out. */
  expiresAtMs: z.number().nullable(),
})

/**
 * Who may use a gateway, and how much: keys, plans, quotas and usage. Answered by a service that the platform places
 * beside the gateway when a gateway needs it; its database is the gateway's. Services may use it: a sign-up makes a key.
 */
export const access = contract('gateway-access', {
  version: '1.0.0',
  owner: 'platform',
  summary: 'Keys, plans, quotas and usage of the gateway.',
  operations: {
    createKey: post('/keys', {
      summary: 'Make a key and show its secret once',
      created: true,
      input: z.object({
        name: Name,
        owner: z.string().min(1).max(255),
        plan: PlanName.optional(),
        scopes: z.array(Scope).max(100).default([]),
        environment: z
          .string()
          .regex(/^[a-z]{1,10}$/)
          .default('live'),
        expiresAt: z.iso.datetime().optional(),
      }),
      output: NewKey,
      errors: { plan_not_found: errors.plan_not_found },
      access: operator,
    }),
    listKeys: get('/keys', {
      summary: 'Keys, newest first',
      input: z.object({ owner: z.string().max(255).optional(), ...pageInput() }),
      output: page(ApiKey),
      access: operator,
    }),
    findKey: get('/keys/{id}', {
      summary: 'One key',
      input: byId,
      output: ApiKey,
      errors: { key_not_found: errors.key_not_found },
      access: operator,
    }),
    updateKey: patch('/keys/{id}', {
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
      access: operator,
    }),
    rotateKey: post('/keys/{id}/rotate', {
      summary: 'Make a new secret; the old one stays valid for a while',
      input: byId.extend({ graceMs: z.int().min(0).max(2_592_000_000).default(86_400_000) }),
      output: NewKey,
      errors: { key_not_found: errors.key_not_found },
      access: operator,
    }),
    revokeKey: del('/keys/{id}', {
      summary: 'Refuse a key for good, everywhere within a second',
      input: byId,
      errors: { key_not_found: errors.key_not_found },
      access: operator,
    }),
    listPlans: get('/plans', { summary: 'Plans', output: z.array(Plan), access: operator }),
    putPlan: put('/plans/{name}', {
      summary: 'Make or change a plan',
      input: Plan.omit({ declared: true }),
      output: Plan,
      errors: { plan_declared: errors.plan_declared },
      access: operator,
    }),
    removePlan: del('/plans/{name}', {
      summary: 'Remove a plan that no key is on',
      input: z.object({ name: PlanName }),
      errors: {
        plan_not_found: errors.plan_not_found,
        plan_declared: errors.plan_declared,
        plan_in_use: errors.plan_in_use,
      },
      access: operator,
    }),
    usage: get('/usage', {
      summary: 'Requests and units by key, route and time',
      input: z.object({
        keyId: z.string().max(64).optional(),
        owner: z.string().max(255).optional(),
        route: z.string().max(255).optional(),
        from: z.iso.datetime().optional(),
        to: z.iso.datetime().optional(),
        by: z.enum(['minute', 'hour', 'day', 'month', 'total']).default('day'),
      }),
      output: z.array(Usage),
      access: operator,
    }),
    /** For gateways: who holds a secret, by its SHA-256 in hex. */
    lookUpKey: query({
      input: z.object({ hash: z.string().length(64) }),
      output: z.object({ record: KeyRecord.nullable() }),
    }),
    /** For gateways: what changed since; asked several times a second, so that a revoked key is refused within one. */
    changes: query({
      input: z.object({ since: z.int() }),
      output: z.object({ sequence: z.int(), keyIds: z.array(z.string()), plans: z.array(Plan).nullable() }),
    }),
    /** For gateways: takes units of a quota before they are served. */
    leaseQuota: command({
      input: z.object({
        subject: z.string().max(255),
        period: z.string().max(40).describe('`day:2026-11-21`, `month:2026-11`'),
        allow: z.int().min(0),
        units: z.int().min(1),
      }),
      output: z.object({ granted: z.int(), spent: z.int() }),
      idempotent: 'no',
    }),
    /** For gateways: adds counts; the same batch of the same instance counts once. */
    recordUsage: command({
      input: z.object({
        instance: z.string().max(64),
        sequence: z.int(),
        rows: z
          .array(
            z.object({
              keyId: z.string(),
              route: z.string(),
              statusClass: z.string(),
              minuteMs: z.int(),
              requests: z.int(),
              units: z.int(),
            }),
          )
          .max(10_000),
        lastUsed: z.array(z.object({ keyId: z.string(), atMs: z.int() })).max(10_000),
      }),
      idempotent: 'natural',
    }),
    /**
     * For gateways: one step of a rate limit's counter that all of them share (GCRA, by the clock of the database).
     * `next = max(tat, now) + cost * emissionMs` is kept when `next - now <= burstMs + 0.001`, else nothing changes. A
     * negative cost gives back what a request took that another limit refused, and is always kept. An unknown key
     * has `tat = now`; a row whose `tat` has passed means nothing and may be removed.
     */
    takeRate: command({
      input: z.object({
        key: z.string().max(512),
        cost: z.int(),
        emissionMs: z.number().positive(),
        burstMs: z.number().min(0),
      }),
      /** `tatMs`: as it is kept now, so before this step when it was refused. */
      output: z.object({ allowed: z.boolean(), tatMs: z.number(), nowMs: z.number() }),
      idempotent: 'no',
    }),
    /** For gateways: makes the plans that a configuration declares. */
    declarePlans: command({
      input: z.object({ plans: z.array(Plan.omit({ declared: true })).max(1_000) }),
      idempotent: 'natural',
    }),
  },
})

import { z } from 'zod'
import { command, contract, query } from '../../contract/index.ts'
import { KeyRecord, specs } from './operator-operations.ts'
import { Plan } from './plan-schema.ts'

/**
 * Who may use a gateway, and how much: keys, plans, quotas and usage. Answered by a service that the platform places
 * beside the gateway when a gateway needs it; its database is the gateway's. Services may use it: a sign-up makes a key.
 * It has no route, so no gateway can expose it: whoever may call it may make keys. Operators ask through the admin
 * listener (`trestle keys`).
 * @example const impl = implement(accounts, { uses: { access } })
 *   const { secret } = await call.access.createKey({ name: 'first', owner: account.id, plan: 'free' })
 */
export const access = contract('gateway-access', {
  version: '1.0.0',
  owner: 'platform',
  summary: 'Keys, plans, quotas and usage of the gateway.',
  operations: {
    createKey: command(specs.createKey),
    listKeys: query(specs.listKeys),
    findKey: query(specs.findKey),
    updateKey: command({ ...specs.updateKey, idempotent: 'natural' }),
    rotateKey: command(specs.rotateKey),
    revokeKey: command({ ...specs.revokeKey, idempotent: 'natural' }),
    listPlans: query(specs.listPlans),
    putPlan: command({ ...specs.putPlan, idempotent: 'natural' }),
    removePlan: command(specs.removePlan),
    usage: query(specs.usage),
    /** For gateways: who holds a secret, by its SHA-256 in hex. */
    lookUpKey: query({
      input: z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/) }),
      output: z.object({ record: KeyRecord.nullable() }),
    }),
    /** For gateways: what changed since; asked several times a second, so that a revoked key is refused within one. */
    changes: query({
      input: z.object({ since: z.int().min(0).describe('`sequence` of the answer before; 0: everything is new') }),
      output: z.object({
        sequence: z.int(),
        /** More has changed than is listed: nothing that was known before can be relied on. */
        reset: z.boolean(),
        keyIds: z.array(z.string()),
        plans: z.array(Plan).nullable().describe('All of them, when one has changed'),
      }),
    }),
    /** For gateways: takes units of a quota before they are served. */
    leaseQuota: command({
      input: z.object({
        subject: z.string().min(1).max(512),
        period: z.string().max(40).describe('`day:2026-11-21`, `month:2026-11`'),
        allow: z.int().min(0),
        units: z.int().min(1),
      }),
      output: z.object({
        granted: z.int().describe('Never more than asked for, and never more in all than `allow`'),
        spent: z.int().describe('Granted so far in this period, to all gateways'),
      }),
      idempotent: 'no',
    }),
    /** For gateways that close: gives back units that were leased and not served. Never sent twice. */
    returnQuota: command({
      input: z.object({
        leases: z
          .array(z.object({ subject: z.string().min(1).max(512), period: z.string().max(40), units: z.int().min(1) }))
          .max(10_000),
      }),
      idempotent: 'no',
    }),
    /** For gateways: adds counts; the same batch of the same instance counts once. */
    recordUsage: command({
      input: z.object({
        instance: z.string().min(1).max(64),
        sequence: z.int().min(1).describe('One more for each batch of an instance, sent one after the other'),
        rows: z
          .array(
            z.object({
              keyId: z.string().max(512),
              route: z.string().max(255),
              statusClass: z.string().max(3),
              minuteMs: z.int(),
              requests: z.int().min(0),
              units: z.int().min(0),
            }),
          )
          .max(10_000),
        lastUsed: z.array(z.object({ keyId: z.string(), atMs: z.int() })).max(10_000),
      }),
      idempotent: 'natural',
      bodyMaxBytes: 8_388_608,
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

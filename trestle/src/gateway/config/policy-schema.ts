import { z } from 'zod'
import { ms, msOrNone, text, texts } from './schema-values.ts'

const limit = z
  .strictObject({
    name: text.optional().describe('Said in RateLimit-Policy; default: made from the numbers'),
    per: z.enum(['caller', 'key', 'ip', 'route']).describe('For whom it counts'),
    allow: z.int().min(1).describe('Units per window'),
    windowMs: ms('The window'),
    burst: z.int().min(1).optional().describe('Units that may be taken at once; default: allow'),
    cost: z.int().min(0).optional().describe('Units that one request takes; default 1'),
    whenStoreDown: z
      .enum(['local', 'open', 'closed'])
      .optional()
      .describe('While shared counters cannot be reached: count here alone (default), do not count, or answer 503'),
    before: z.literal('authentication').optional().describe('Counts before anybody asks who it is; per ip or route'),
    keysMax: z.int().min(1).optional().describe('Counters in one process; default 100,000'),
  })
  .describe('How often somebody may ask (GCRA)')

const cors = z
  .strictObject({
    origins: texts.min(1).describe('https://app.example.com, https://*.example.com, or * alone for every page'),
    methods: texts.optional().describe('Default: every method that the route has'),
    headers: texts.optional().describe('Fields that pages may send; * alone for whatever they ask for'),
    exposedHeaders: texts.optional().describe('Fields of replies that pages may read'),
    credentials: z.boolean().optional().describe('Whether browsers send cookies along; default false'),
    maxAgeMs: msOrNone('How long a browser may remember the answer; default 600,000').optional(),
  })
  .describe('Which pages of other origins may ask')

const cache = z
  .strictObject({
    maxBytes: z.int().min(1).optional().describe('Of all stored replies; default 64 MiB'),
    maxEntryBytes: z.int().min(1).optional().describe('Of one reply; default 1 MiB'),
    ttlMs: msOrNone('For replies that do not say how long they are fresh; default 0: they are not stored').optional(),
    vary: texts.optional().describe('Request header fields that make a difference, besides the usual ones'),
    allowAuthorization: z.boolean().optional().describe('Also for callers who are authenticated, each apart'),
    staleWhileRevalidateMs: msOrNone('Default 0').optional(),
    staleIfErrorMs: msOrNone('Default 0').optional(),
  })
  .describe('Keeps replies in memory (RFC 9111)')

const compress = z
  .strictObject({
    codings: z
      .array(z.enum(['br', 'gzip']))
      .optional()
      .describe('In the order of liking; default br, gzip'),
    minBytes: z.int().min(0).optional().describe('Smaller replies stay as they are; default 1,024'),
    types: texts.optional().describe('Further media types that gain by it'),
  })
  .describe('Compresses replies for clients that accept it')

/** Rules that hold for one route, or for all of them. */
export const policies = {
  limits: z.array(limit).optional(),
  cors: cors.optional(),
  cache: cache.optional(),
  compress: compress.optional(),
}

const planLimit = z.strictObject({
  allow: z.int().min(1),
  windowMs: ms('The window'),
  burst: z.int().min(1).optional(),
})
const quota = z.strictObject({
  per: z.enum(['day', 'month']).describe('Of UTC'),
  allow: z.int().min(0).describe('Units'),
  of: z.enum(['owner', 'key']).optional().describe('All keys of an owner together (default), or each for itself'),
})

/** What callers on a plan may do. */
export const plan = z
  .strictObject({
    title: text.optional(),
    routes: texts.optional().describe('Names of routes, or * for all (default)'),
    quotas: z.array(quota).max(4).optional(),
    limits: z.array(planLimit).max(4).optional(),
  })
  .describe('What callers on this plan may do')

/** How the quotas of plans are counted. */
export const quotas = z
  .strictObject({
    status: z.int().min(400).max(499).optional().describe('Of quota_exceeded; default 429'),
    counts: z
      .array(z.enum(['2xx', '3xx', '4xx', '5xx']))
      .optional()
      .describe('Default 2xx, 3xx and 4xx'),
    countsCached: z.boolean().optional().describe('Whether replies from the cache count; default true'),
    whenStoreDown: z.enum(['closed', 'local', 'open']).optional().describe('Default closed: 503'),
    leaseMax: z.int().min(1).max(10_000).optional().describe('Units that a gateway takes in advance; default 100'),
  })
  .describe('How the quotas of plans are counted')

/** Where rate limits are counted. */
export const counters = z
  .union([
    z.enum(['process', 'shared']),
    z.strictObject({
      redis: z.strictObject({
        url: text.describe('redis://user:password@host:6379/0'),
        timeoutMs: ms('Until an answer counts as none; default 75').optional(),
        prefix: text.optional(),
      }),
    }),
  ])
  .describe('Where rate limits are counted: in each process (default), in the database of the store, or in a Redis')

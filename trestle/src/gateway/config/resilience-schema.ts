import { z } from 'zod'
import { ms, msOrNone } from './schema-values.ts'

const count = z.int().min(1)
const ratio = z.number().min(0).max(1)
const off = z.literal(false)

const latency = z.strictObject({
  decayMs: ms('How long a peak is remembered; default 10,000').optional(),
  floorMs: msOrNone('Differences below this are noise; default 1').optional(),
})
const breaker = z.strictObject({
  failureRatio: ratio.optional().describe('Share of the failures at which it opens; default 0.5'),
  volumeMin: count.optional().describe('Below this number of requests in 10 seconds it never opens; default 20'),
  openMs: ms('How long it stays open the first time; default 1,000').optional(),
  openMaxMs: ms('Default 30,000').optional(),
  probes: count.optional().describe('Let through when it is half-open, and successes that close it; default 3'),
})
const ejection = z.strictObject({
  consecutiveFailures: count.optional().describe('Default 5'),
  failureRatioAbove: ratio.optional().describe('By how much more often than the others it fails; default 0.3'),
  volumeMin: count.optional().describe('Below this number of requests shares are not compared; default 20'),
  baseMs: ms('How long it is left alone the first time; default 2,000').optional(),
  maxMs: ms('Default 120,000').optional(),
  unreachableBaseMs: ms('The same where it could not be reached; default 200').optional(),
  unreachableMaxMs: ms('Default 5,000').optional(),
  forgetMs: ms('After so long without a failure the base time holds again; default 60,000').optional(),
  probationSuccesses: count.optional().describe('Successes until it has its full share again; default 10'),
})
const concurrency = z.strictObject({
  limitMin: count.optional().describe('Never less; default 64'),
  limitMax: count.optional().describe('Default 10,000'),
  limitInitial: count.optional().describe('Before anything is known; default 1,000'),
  windowMs: ms('How often the limit is looked at, at most; default 100').optional(),
  tolerance: z.number().min(1).optional().describe('Latency that is no queue, as a multiple of the usual; default 2'),
  slackMs: msOrNone('Latency above the usual that is no queue; default 5').optional(),
  retryAfterMs: ms('What a refused client is told to wait; default 1,000').optional(),
})
const retries = z.strictObject({
  ratio: z.number().min(0).optional().describe('Per request; default 0.2'),
  perSecond: z.number().min(0).optional().describe('And so many besides; default 10'),
})

/** What an upstream does to stay well. */
export const resilience = z
  .strictObject({
    latency: z.union([off, latency]).optional().describe('Balancing by latency; false: by requests in flight'),
    breaker: z.union([off, breaker]).optional().describe('While most requests fail nobody is asked; false: never'),
    ejection: z.union([off, ejection]).optional().describe('Targets that fail are left alone; false: never'),
    concurrency: z
      .union([off, concurrency])
      .optional()
      .describe('What may run at once, learnt from latency; false: all'),
    retries: z.union([off, retries]).optional().describe('Budget of repeated requests; false: none'),
  })
  .describe('How targets are chosen, left alone and spared')

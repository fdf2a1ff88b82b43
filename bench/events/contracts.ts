import { anyone, command, contract, event, get, query } from 'trestle/contract'
import { z } from 'zod'

/** What is published: an order of some size, so that it is not only the envelope that costs. */
const Placed = z.object({
  id: z.string(),
  /** When it was to be published, milliseconds since 1970 with fractions. */
  at: z.number(),
  customer: z.string(),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), cents: z.int() })),
})

const events = { placed: event(Placed, { key: 'id' }) }

/** Events for a consumer that takes many at once. */
export const bulk = contract('bulk', { version: '1.0.0', operations: {}, events })
/** Events for a consumer that takes one after the other. */
export const lone = contract('lone', { version: '1.0.0', operations: {}, events })

const Way = z.enum(['bulk', 'lone'])
export type Way = z.output<typeof Way>

export const publisher = contract('publisher', {
  version: '1.0.0',
  operations: {
    alive: get('/alive', { output: z.object({}), access: anyone() }),
    /** As fast as may be: so many transactions at once, each with so many events. */
    flood: command({
      input: z.object({ way: Way, events: z.int(), perTransaction: z.int(), atOnce: z.int(), run: z.string() }),
      timeoutMs: 600_000,
    }),
    /** At a fixed rate, whatever becomes of what was published before. */
    drip: command({
      input: z.object({ way: Way, perSecond: z.number(), seconds: z.number(), run: z.string() }),
      output: z.object({ events: z.int(), lateMs: z.number() }),
      timeoutMs: 600_000,
    }),
  },
})

export const consumer = contract('consumer', {
  version: '1.0.0',
  operations: {
    /** What was handled since the last time it was asked with `reset`. */
    handled: query({
      input: z.object({ reset: z.boolean() }),
      output: z.object({ events: z.int(), total: z.int(), latenciesMs: z.array(z.number()) }),
      timeoutMs: 60_000,
    }),
  },
})

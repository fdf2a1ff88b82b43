import { command, contract, del, get, problem, put, scopes } from 'trestle/contract'
import { z } from 'zod'

const Count = z.int().min(0).max(1_000_000)
const DelayMs = z.int().min(0).max(600_000)

/** How the payment system misbehaves for a test. Everything is 0 or empty unless it was set. */
export const Switches = z
  .object({
    decline_authorizations: Count.default(0).describe('The next so many authorizations are declined'),
    decline_captures: Count.default(0).describe('The next so many captures are declined'),
    declined_payers: z
      .array(z.string().max(254))
      .max(1_000)
      .default([])
      .describe('Payers (id or e-mail address) whose payments are all declined'),
    time_out_authorizations: Count.default(0).describe('The next so many are done, and not answered'),
    time_out_captures: Count.default(0).describe('The next so many are done, and not answered'),
    time_out_refunds: Count.default(0).describe('The next so many are done, and not answered'),
    webhooks_late_ms: DelayMs.default(0).describe('Deliveries begin so many milliseconds later'),
    webhooks_repeated: z.int().min(0).max(10).default(0).describe('Each delivery is made so many times more'),
    webhooks_reordered_ms: DelayMs.default(0).describe(
      'Every other delivery begins so many milliseconds later: the next one overtakes it',
    ),
  })
  .meta({ id: 'Switches' })

const off = problem(409, 'The switches are off: PAYMENTS_SWITCHES is not on')
const access = scopes('test')

export const switches = contract('switches', {
  version: '1.0.0',
  owner: 'testing',
  summary:
    'Makes the payment system misbehave on purpose, for tests. Off unless PAYMENTS_SWITCHES=on; never in production.',
  operations: {
    read: get('/test/switches', {
      summary: 'How the switches stand',
      output: Switches,
      errors: { switches_off: off },
      access,
    }),
    set: put('/test/switches', {
      summary: 'Set the switches; what is not named is off',
      input: z.object(Switches.shape),
      output: Switches,
      errors: { switches_off: off },
      access,
    }),
    reset: del('/test/switches', {
      summary: 'Switch everything off',
      errors: { switches_off: off },
      access,
    }),

    /** Each answer is for one payment: what is counted down is counted down by asking. */
    take: command({
      summary: 'What becomes of this payment',
      description:
        'Asked again about a payment, it answers the same and counts nothing. Answers that all goes well, without looking, when the switches are off.',
      input: z.object({
        payment_id: z.uuid(),
        step: z.enum(['authorize', 'capture']),
        payer: z.array(z.string().max(254)).max(5).describe('By what the payer is known: id, e-mail address'),
      }),
      output: z.object({ declined: z.boolean() }),
      idempotent: 'natural',
    }),
    /** What a reply is held back for: asked by the gateway once the effect is there. */
    takeTimeOut: command({
      summary: 'Whether the reply is withheld',
      input: z.object({ step: z.enum(['authorize', 'capture', 'refund']) }),
      output: z.object({ withheld: z.boolean() }),
    }),
    takeDelivery: command({
      summary: 'How a delivery misbehaves',
      output: z.object({ late_ms: DelayMs, repeated: z.int() }),
    }),
  },
})

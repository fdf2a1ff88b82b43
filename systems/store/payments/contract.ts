import { anyone, bytes, command, contract, event, page, pageInput, post, problem, query } from 'trestle/contract'
import { z } from 'zod'
import { Money } from '../money.ts'

const OrderId = z.object({ orderId: z.uuid() })

/** How far a payment has come. What was learnt later than it happened changes nothing in the end. */
export const PaymentState = z.enum([
  'new',
  'open',
  'approved',
  'authorised',
  'captured',
  'refunded',
  'declined',
  'closed',
])

export type PaymentState = z.output<typeof PaymentState>

export const Payment = z
  .object({
    orderId: z.uuid(),
    state: PaymentState,
    amount: Money.nullable().describe('null: closed before it began'),
    captured: Money.nullable(),
    refunded: Money.nullable(),
    approveUrl: z.string().nullable().describe('Where the buyer approves it, at the payment system'),
    reason: z.string().nullable().describe('Why it was declined'),
    providerOrderId: z.string().nullable(),
    authorizationId: z.string().nullable(),
    captureId: z.string().nullable(),
    refundId: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Payment' })

const closed = problem(409, 'The payment was closed: nothing is taken any more')
const declined = problem(402, z.object({ reason: z.string() }), 'The payment system refused it')
const notFound = problem(404, 'There is no payment for this order')

export const payments = contract('payments', {
  version: '1.0.0',
  owner: 'fulfilment',
  summary: 'Takes the money of orders through the payment system, and gives it back.',
  description:
    'One payment for each order; every operation may be repeated. Who pays, and with what, stays with the payment system: the buyer approves there.',
  operations: {
    receive: post('/webhooks/payments', {
      summary: 'What the payment system tells',
      description: 'Signed by it. Each event counts once, in whatever order they come.',
      input: z.object({
        body: bytes({ contentTypes: ['application/json'] }),
        transmissionId: z.string().max(100),
        transmissionTime: z.string().max(40),
        keyId: z.string().max(100),
        signature: z.string().max(500),
      }),
      body: 'body',
      headers: {
        transmissionId: 'pay-transmission-id',
        transmissionTime: 'pay-transmission-time',
        keyId: 'pay-key-id',
        signature: 'pay-transmission-sig',
      },
      bodyMaxBytes: 262_144,
      errors: {
        not_genuine: problem(401, 'The payment system has not signed this, or too long ago'),
        not_registered: problem(503, 'The store does not know yet under which id it hears of events'),
      },
      access: anyone(),
      idempotent: 'natural',
    }),

    begin: command({
      summary: 'Ask the payment system for an amount; answers where the buyer approves it',
      input: OrderId.extend({ amount: Money }),
      output: Payment,
      errors: { payment_closed: closed, payment_declined: declined },
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    authorise: command({
      summary: 'Have the approved amount held for the store',
      input: OrderId,
      output: Payment,
      errors: { payment_not_found: notFound, payment_closed: closed, payment_declined: declined },
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    capture: command({
      summary: 'Take the money that is held',
      input: OrderId,
      output: Payment,
      errors: { payment_not_found: notFound, payment_closed: closed, payment_declined: declined },
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    refund: command({
      summary: 'See to it that no money of an order stays here',
      description:
        'What was captured is refunded, what was held is let go, what was open is closed. Also before it began: then it never does.',
      input: OrderId,
      output: Payment,
      idempotent: 'natural',
      timeoutMs: 20_000,
    }),
    find: query({
      summary: 'The payment of an order',
      input: OrderId,
      output: Payment,
      errors: { payment_not_found: notFound },
    }),
    list: query({
      summary: 'All payments, in the order of their orders',
      input: z.object({ ...pageInput({ limitMax: 1_000 }) }),
      output: page(Payment),
      errors: { cursor_invalid: problem(400) },
    }),
  },
  events: {
    decided: event(OrderId.extend({ approved: z.boolean() }), {
      key: 'orderId',
      summary: 'The buyer has approved the payment, or it is known that this will not happen',
    }),
    captured: event(OrderId.extend({ amount: Money, captureId: z.string() }), { key: 'orderId' }),
    refunded: event(OrderId.extend({ amount: Money, refundId: z.string() }), { key: 'orderId' }),
  },
})

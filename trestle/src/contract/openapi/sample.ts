import { z } from 'zod'
import { anyone, scopes, signedIn } from '../access.ts'
import { bytes } from '../bytes.ts'
import { contract } from '../define-contract.ts'
import { command, del, get, patch, post, put } from '../define-operation.ts'
import { page, pageInput } from '../page.ts'
import { problem } from '../problem.ts'

/** Contracts that use every feature that a document can show, for the tests of the documents. */

const Money = z
  .object({ amount: z.int(), currency: z.enum(['EUR', 'USD']) })
  .meta({ id: 'Money', examples: [{ amount: 1, currency: 'EUR' }] })

const Line = z
  .object({ sku: z.string().min(1), quantity: z.int().min(1).max(99).default(1), price: Money })
  .meta({ id: 'Line' })

const Card = z.object({ kind: z.literal('card'), last4: z.string().length(4) }).meta({ id: 'Card' })
const Transfer = z.object({ kind: z.literal('transfer'), iban: z.string() }).meta({ id: 'Transfer' })

export const Order = z
  .object({
    id: z.uuid(),
    lines: z.array(Line).min(1).max(100),
    total: Money,
    payment: z.discriminatedUnion('kind', [Card, Transfer]).optional(),
    status: z.enum(['pending', 'confirmed']),
    note: z.string().nullable(),
    placedAt: z.iso.datetime(),
  })
  .meta({ id: 'Order', description: 'An order.' })

const Comment = z.object({
  text: z.string(),
  get replies() {
    return z.array(Comment)
  },
})

const id = '0190d3c5-7b3a-7000-8000-000000000000'
const order = {
  id,
  lines: [{ sku: 'A-1', price: { amount: 100, currency: 'EUR' as const } }],
  total: { amount: 100, currency: 'EUR' as const },
  status: 'pending' as const,
  note: null,
  placedAt: '2026-01-01T00:00:00Z',
}

export const orders = contract('orders', {
  version: '1.2.0',
  summary: 'Takes orders.',
  operations: {
    place: post('/orders', {
      summary: "Place an order for the caller's cart",
      input: z.object({ lines: z.array(Line).max(100), note: z.string().optional() }),
      output: Order,
      created: true,
      errors: {
        cart_empty: problem(409, 'There is nothing in the cart'),
        out_of_stock: problem(409, z.object({ sku: z.string() }), 'Not enough is in stock'),
        conflict: problem(409),
        payment_declined: problem(402),
      },
      access: scopes('orders:write'),
      idempotent: 'key',
      examples: [{ summary: 'One line', input: { lines: order.lines }, output: order }],
    }),
    find: get('/orders/{id}', {
      input: z.object({ id: z.uuid().describe('The order.') }),
      output: Order,
      errors: { order_not_found: problem(404) },
      access: scopes('orders:read'),
      examples: [{ input: { id } }],
    }),
    list: get('/orders', {
      input: z.object({ status: z.array(z.enum(['pending', 'confirmed'])).optional(), ...pageInput() }),
      output: page(Order),
      access: signedIn(),
    }),
    annotate: patch('/orders/{orderId}', {
      input: z.object({ orderId: z.uuid(), ifMatch: z.string().optional(), note: z.string().nullable() }),
      headers: { ifMatch: 'If-Match' },
      access: signedIn(),
    }),
    cancel: del('/orders/{id}', {
      input: z.object({ id: z.uuid() }),
      access: signedIn(),
      deprecated: { on: '2026-01-31', sunset: '2027-01-31', use: 'orders.annotate' },
    }),
    upload: put('/orders/{id}/document', {
      input: z.object({ id: z.uuid(), document: bytes({ contentTypes: ['application/pdf', 'image/png'] }) }),
      body: 'document',
      access: signedIn(),
    }),
    document: get('/orders/{id}/document', {
      input: z.object({ id: z.uuid() }),
      output: bytes({ contentTypes: ['application/pdf'] }),
      access: signedIn(),
    }),
    comment: post('/orders/{id}/comments', {
      input: z.object({ id: z.uuid(), comment: Comment }),
      body: 'comment',
      responses: { 200: Comment, 202: z.object({ queued: z.literal(true) }) },
      access: signedIn(),
      tags: ['comments'],
    }),
    health: get('/orders-health', { output: z.object({ ok: z.boolean() }), access: anyone() }),
    settle: command({ input: z.object({ id: z.uuid() }) }),
  },
})

/** Means something else by `Line` than `orders` does. */
export const carts = contract('carts', {
  version: '1.0.0',
  summary: 'Holds what will be bought.',
  operations: {
    read: get('/cart', {
      output: z.object({ lines: z.array(z.object({ sku: z.string() }).meta({ id: 'Line' })) }),
      access: signedIn(),
    }),
  },
})

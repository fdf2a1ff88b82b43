import { contract, event, get, page, pageInput, post, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Quantity } from '../carts/contract.ts'
import { Sku } from '../catalogue/contract.ts'
import { Money } from '../money.ts'

export const OrderLine = z
  .object({
    sku: Sku,
    name: z.string(),
    quantity: Quantity,
    price: Money.describe('As it was when the order was placed'),
    total: Money,
  })
  .meta({ id: 'OrderLine' })

export const OrderStatus = z.enum(['pending', 'confirmed', 'rejected', 'cancelled'])

export const Order = z
  .object({
    id: z.uuid(),
    status: OrderStatus,
    lines: z.array(OrderLine).min(1).max(100),
    total: Money.describe('What is charged'),
    placedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('By then the payment must be approved'),
    approveUrl: z
      .string()
      .nullable()
      .describe('Where to approve the payment, at the payment system; null: there is nothing to approve now'),
    shipmentId: z.uuid().nullable(),
    cancelRequestedAt: z.iso.datetime().nullable(),
    closed: z
      .object({ at: z.iso.datetime(), reason: z.enum(['customer', 'expired', 'declined', 'failed']) })
      .nullable()
      .describe('When and why it was rejected or cancelled'),
  })
  .meta({ id: 'Order' })

const OrderId = z.object({ id: z.uuid() })
const orderNotFound = problem(404, 'The caller has no such order')

/** What others learn of a placed order: no names, no addresses. */
export const PlacedOrder = OrderId.extend({
  customerId: z.uuid(),
  cartVersion: z.int().describe('Up to here the cart has been ordered'),
  lines: z.array(z.object({ sku: Sku, quantity: Quantity })).max(100),
  total: Money,
})

const SettledOrder = OrderId.extend({
  customerId: z.uuid(),
  status: z.enum(['confirmed', 'rejected', 'cancelled']),
  total: Money,
  refunded: z.boolean().describe('The money was taken and given back'),
})

export const orders = contract('orders', {
  version: '1.0.0',
  owner: 'fulfilment',
  summary: 'Takes orders and follows them until they are on their way.',
  description:
    'A placed order is `pending`: its prices are frozen and its stock is held. Once its payment is approved, the money taken and the parcel ready, it is `confirmed`. Without a payment it is `rejected`, and a customer may have it `cancelled` until the parcel leaves: then the stock is free again and the money given back.',
  operations: {
    place: post('/orders', {
      summary: "Order the caller's cart",
      description:
        'All lines or none. The same Idempotency-Key gets the same reply for 24 hours, refusals too: order again under a new key. What was put into the cart meanwhile stays there.',
      output: Order,
      created: true,
      errors: {
        not_a_shopper: problem(403, 'Only users have a cart to order'),
        cart_empty: problem(409, 'There is nothing in the cart that was not ordered'),
        out_of_stock: problem(
          409,
          z.object({ sku: z.string(), available: z.int() }),
          'There are not enough of a product; nothing was ordered',
        ),
        product_gone: problem(409, z.object({ sku: z.string() }), 'The store no longer sells a product of the cart'),
      },
      access: scopes('orders:write'),
      idempotent: 'key',
    }),
    find: get('/orders/{id}', {
      summary: 'One order of the caller; an operator may read any',
      input: OrderId,
      output: Order,
      errors: { order_not_found: orderNotFound },
      access: scopes('orders:read'),
    }),
    list: get('/orders', {
      summary: "The caller's orders, newest first",
      input: z.object({ ...pageInput() }),
      output: page(Order),
      errors: { cursor_invalid: problem(400, 'The cursor is not one that this list gave out') },
      access: scopes('orders:read'),
    }),
    cancel: post('/orders/{id}/cancel', {
      summary: 'Cancel an order that has not left',
      description:
        'Answers at once; `cancelled` follows when the parcel stays here, the money is given back and the stock is free. Cancelling twice, or what is rejected, changes nothing.',
      input: OrderId,
      output: Order,
      errors: { order_not_found: orderNotFound, already_shipped: problem(409, 'The parcel has left') },
      access: scopes('orders:write'),
      idempotent: 'natural',
    }),

    all: query({
      summary: 'All orders, oldest first',
      input: z.object({ ...pageInput({ limitMax: 1_000 }) }),
      output: page(Order.omit({ lines: true }).extend({ customerId: z.uuid() })),
      errors: { cursor_invalid: problem(400) },
    }),
  },
  events: {
    placed: event(PlacedOrder, { key: 'id', summary: 'An order was taken; its stock is reserved' }),
    cancelRequested: event(OrderId, { key: 'id', summary: 'The customer wants it cancelled' }),
    settled: event(SettledOrder, { key: 'id', summary: 'How it ended' }),
  },
})

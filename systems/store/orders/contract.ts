import { command, contract, event, get, page, pageInput, post, problem, scopes } from 'trestle/contract'
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

export const OrderStatus = z.enum(['pending', 'confirmed', 'cancelled'])

export const Order = z
  .object({
    id: z.uuid(),
    status: OrderStatus,
    lines: z.array(OrderLine).min(1).max(100),
    total: Money,
    placedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('A pending order is cancelled at this time'),
    cancelled: z
      .object({ at: z.iso.datetime(), reason: z.enum(['customer', 'expired']) })
      .nullable()
      .describe('When and why, if it was'),
  })
  .meta({ id: 'Order' })

/** What others learn of an order that was placed: no names, no addresses. */
export const PlacedOrder = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  lines: z.array(z.object({ sku: Sku, quantity: Quantity })).max(100),
  total: Money,
})

export const SettledOrder = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  status: z.enum(['confirmed', 'rejected', 'cancelled']),
  total: Money,
})

const orderNotFound = problem(404, 'The caller has no such order')

export const orders = contract('orders', {
  version: '1.0.0',
  owner: 'fulfilment',
  summary: 'Takes orders and follows them.',
  description:
    'A placed order is `pending`: its prices are frozen and its stock is held for 30 minutes. Confirmed in that time (by a payment, once there are payments) its stock is taken and it is `confirmed`; otherwise it is `cancelled` and the stock is free again. A cancelled order stays cancelled.',
  operations: {
    place: post('/orders', {
      summary: "Order the caller's cart",
      description:
        'All lines or none. The same Idempotency-Key gets the same reply for 24 hours, refusals too: order again under a new key. What was put into the cart meanwhile stays there.',
      output: Order,
      created: true,
      errors: {
        not_a_shopper: problem(403, 'Only users have a cart to order'),
        cart_empty: problem(409, 'There is nothing in the cart'),
        out_of_stock: problem(
          409,
          z.object({ sku: z.string(), available: z.int() }),
          'There are not enough of a product; nothing was ordered',
        ),
        product_gone: problem(409, z.object({ sku: z.string() }), 'The store no longer sells a product of the cart'),
        order_in_progress: problem(409, "An order of this caller is being placed; ask again with that order's key"),
      },
      access: scopes('orders:write'),
      idempotent: 'key',
    }),
    find: get('/orders/{id}', {
      summary: 'One order of the caller; an operator may read any',
      input: z.object({ id: z.uuid() }),
      output: Order,
      errors: { order_not_found: orderNotFound },
      access: scopes('orders:read'),
    }),
    list: get('/orders', {
      summary: "The caller's orders, newest first",
      input: z.object({
        ...pageInput(),
      }),
      output: page(Order),
      errors: { cursor_invalid: problem(400, 'The cursor is not one that this list gave out') },
      access: scopes('orders:read'),
    }),
    cancel: post('/orders/{id}/cancel', {
      summary: 'Cancel an order',
      description: 'Pending or confirmed; its stock is free again. Cancelling twice changes nothing more.',
      input: z.object({ id: z.uuid() }),
      output: Order,
      errors: { order_not_found: orderNotFound },
      access: scopes('orders:write'),
      idempotent: 'natural',
    }),

    confirm: command({
      summary: 'Say that an order has been paid',
      description: 'Takes its stock. The seam where payments will come in; until then an operator may ask.',
      input: z.object({ id: z.uuid() }),
      output: Order,
      errors: {
        order_not_found: problem(404),
        order_closed: problem(409, 'The order was cancelled or has expired'),
      },
      idempotent: 'natural',
    }),
  },
  events: {
    placed: event(PlacedOrder, { key: 'id', summary: 'An order was taken; its stock is held' }),
    cancelRequested: event(z.object({ id: z.uuid() }), { key: 'id', summary: 'The customer wants an order cancelled' }),
    settled: event(SettledOrder, { key: 'id', summary: 'How an order ended' }),
  },
})

import { contract, del, get, problem, put, query, signedIn } from 'trestle/contract'
import { z } from 'zod'
import { Sku } from '../catalogue/contract.ts'
import { Money } from '../money.ts'

export const linesMax = 100

export const Quantity = z.int().min(1).max(99)

export const CartLine = z
  .object({ sku: Sku, name: z.string(), quantity: Quantity, price: Money, total: Money })
  .meta({ id: 'CartLine' })

export const Cart = z
  .object({
    lines: z.array(CartLine).max(linesMax),
    total: Money,
  })
  .meta({ id: 'Cart', description: 'Prices are those of now; an order freezes them.' })

const notAShopper = problem(403, 'Only users have a cart')
const skuUnknown = problem(404, z.object({ sku: z.string() }), 'The store does not sell this')

export const carts = contract('carts', {
  version: '1.0.0',
  owner: 'shopping',
  summary: 'What each shopper is about to order.',
  operations: {
    mine: get('/cart', {
      summary: "The caller's cart",
      output: Cart,
      errors: { not_a_shopper: notAShopper },
      access: signedIn(),
    }),
    setItem: put('/cart/items/{sku}', {
      summary: 'Put so many of a product into the cart',
      description: 'Sets the quantity; it does not add to it.',
      input: z.object({ sku: Sku, quantity: Quantity }),
      output: Cart,
      errors: {
        not_a_shopper: notAShopper,
        sku_unknown: skuUnknown,
        cart_full: problem(409, z.object({ linesMax: z.int() }), 'The cart has as many lines as it may have'),
      },
      access: signedIn(),
      examples: [{ input: { sku: 'KIT-000017', quantity: 2 } }],
    }),
    removeItem: del('/cart/items/{sku}', {
      summary: 'Take a product out of the cart',
      description: 'Taking out what is not in it changes nothing.',
      input: z.object({ sku: Sku }),
      output: Cart,
      errors: { not_a_shopper: notAShopper },
      access: signedIn(),
    }),

    read: query({
      summary: "What a user's cart has, and its version",
      description:
        'Only what came or was changed behind the version `after`: what was ordered up to there counts no more.',
      input: z.object({ userId: z.uuid(), after: z.int().min(0).default(0) }),
      output: z.object({
        version: z.int().min(0),
        lines: z.array(z.object({ sku: Sku, quantity: Quantity })).max(linesMax),
      }),
    }),
  },
})

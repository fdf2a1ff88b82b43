import { anyone, command, contract, get, page, pageInput, problem, query } from 'trestle/contract'
import { z } from 'zod'
import { Sku } from '../catalogue/contract.ts'

const OrderId = z.object({ orderId: z.uuid() })

export const ReservationState = z.enum(['held', 'committed', 'released'])

const Reservation = z
  .object({
    orderId: z.uuid(),
    state: ReservationState,
    expiresAt: z.iso.datetime().nullable().describe('null: it is held for as long as it takes'),
  })
  .meta({ id: 'Reservation' })

const Level = z.object({
  sku: Sku,
  onHand: z.int().min(0),
  reserved: z.int().min(0),
  initial: z.int().min(0),
  restocked: z.int().min(0),
  sold: z.int().min(0),
})

const reservationClosed = problem(409, 'The reservation has expired or was released')
const stockUnknown = problem(404, z.object({ sku: z.string() }), 'The store keeps no stock of this')

export const inventory = contract('inventory', {
  version: '1.0.0',
  owner: 'fulfilment',
  summary: 'How many of each product there are, and who has been promised some.',
  description:
    'At all times on_hand >= reserved >= 0. A reservation lasts for 30 minutes and is then released by itself, unless it is held for a payment. Committing it takes the pieces out of the stock.',
  operations: {
    find: get('/stock/{sku}', {
      summary: 'How many of a product may be ordered now',
      input: z.object({ sku: Sku }),
      output: z.object({ sku: Sku, available: z.int().min(0) }).meta({ id: 'Stock' }),
      errors: { stock_unknown: stockUnknown },
      access: anyone(),
    }),

    reserve: command({
      summary: 'Hold all lines of an order, or none',
      description: 'One reservation per order: asking again for the same lines answers with the one that exists.',
      input: OrderId.extend({
        lines: z
          .array(z.object({ sku: Sku, quantity: z.int().min(1).max(1_000_000) }))
          .min(1)
          .max(100),
      }),
      output: Reservation,
      errors: {
        out_of_stock: problem(
          409,
          z.object({ sku: z.string(), available: z.int() }),
          'There are not enough of this product',
        ),
        reservation_closed: problem(409, 'The order has been released, or holds other lines; it cannot hold these'),
      },
      idempotent: 'natural',
    }),
    hold: command({
      summary: 'Hold what an order has reserved for as long as its payment takes',
      description: 'It does not expire any more: it is committed or released.',
      input: OrderId,
      output: Reservation,
      errors: { reservation_closed: reservationClosed, reservation_not_found: problem(404) },
      idempotent: 'natural',
    }),
    release: command({
      summary: 'Give back what an order holds or has taken',
      description: 'Also before it was reserved: a reservation that arrives later is refused.',
      input: OrderId,
      output: Reservation,
      idempotent: 'natural',
    }),
    commit: command({
      summary: 'Take what an order holds out of the stock',
      input: OrderId,
      output: Reservation,
      errors: {
        reservation_closed: reservationClosed,
        reservation_not_found: problem(404),
      },
      idempotent: 'natural',
    }),
    restock: command({
      summary: 'Book a delivery of goods',
      description: 'Once per delivery and product: booking it again changes nothing.',
      input: z.object({
        sku: Sku,
        quantity: z.int().min(1).max(1_000_000),
        delivery: z.string().min(1).max(100).describe('Number of the delivery note'),
      }),
      output: z.object({ sku: Sku, onHand: z.int() }),
      errors: { stock_unknown: stockUnknown },
      idempotent: 'natural',
    }),
    level: query({
      summary: 'The books of one product',
      description: 'initial + restocked = onHand + sold, always.',
      input: z.object({ sku: Sku }),
      output: Level,
      errors: { stock_unknown: stockUnknown },
    }),
    levels: query({
      summary: 'The books of all products, in the order of their units',
      input: z.object({ ...pageInput({ limitMax: 1_000 }) }),
      output: page(Level),
      errors: { cursor_invalid: problem(400) },
    }),
  },
})

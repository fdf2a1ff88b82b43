import { command, contract, event, get, page, pageInput, post, problem, query, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Quantity } from '../carts/contract.ts'
import { Sku } from '../catalogue/contract.ts'

export const ShipmentState = z.enum(['ready', 'dispatched', 'delivered', 'recalled'])

export const Scan = z
  .object({
    scan: z.string().min(1).max(100).describe("The carrier's number of this scan"),
    kind: z.enum(['picked_up', 'in_transit', 'delivered']),
    at: z.iso.datetime(),
  })
  .meta({ id: 'Scan' })

export const Shipment = z
  .object({
    id: z.uuid(),
    orderId: z.uuid(),
    state: ShipmentState,
    lines: z.array(z.object({ sku: Sku, quantity: Quantity })).max(100),
    scans: z.array(Scan).describe('In the order of their times'),
  })
  .meta({ id: 'Shipment' })

const shipmentNotFound = problem(404, 'The caller has no such shipment')
const Moved = z.object({ orderId: z.uuid(), shipmentId: z.uuid(), at: z.iso.datetime() })

/** Scans that are kept of one shipment. */
export const scansMax = 200

export const shipping = contract('shipping', {
  version: '1.0.0',
  owner: 'fulfilment',
  summary: 'One parcel for each order, and where it is.',
  description: 'A parcel may be recalled until the carrier scans it for the first time.',
  operations: {
    find: get('/shipments/{id}', {
      summary: 'One shipment of the caller; an operator may read any',
      input: z.object({ id: z.uuid() }),
      output: Shipment,
      errors: { shipment_not_found: shipmentNotFound },
      access: scopes('orders:read'),
    }),
    scan: post('/shipments/{id}/scans', {
      summary: 'What a carrier saw',
      description: 'Once for each number of a scan, in whatever order they come.',
      input: Scan.extend({ id: z.uuid() }),
      output: Shipment,
      errors: {
        shipment_not_found: shipmentNotFound,
        shipment_recalled: problem(409, 'The parcel has been recalled: it must not leave'),
        too_many_scans: problem(409, z.object({ scansMax: z.int() })),
      },
      access: scopes('shipments:scan'),
      idempotent: 'natural',
    }),

    prepare: command({
      summary: 'Make the parcel of an order ready for the carrier',
      description: 'One for each order. When it was recalled before, it stays recalled.',
      input: z.object({
        orderId: z.uuid(),
        customerId: z.uuid(),
        lines: z.array(z.object({ sku: Sku, quantity: Quantity })).max(100),
      }),
      output: Shipment,
      idempotent: 'natural',
    }),
    recall: command({
      summary: 'Keep the parcel of an order here',
      description: 'Also before it is ready.',
      input: z.object({ orderId: z.uuid() }),
      errors: { already_dispatched: problem(409, 'The carrier has it') },
      idempotent: 'natural',
    }),
    list: query({
      summary: 'All shipments, in the order of their orders',
      input: z.object({ ...pageInput({ limitMax: 1_000 }) }),
      output: page(Shipment.omit({ scans: true, lines: true })),
      errors: { cursor_invalid: problem(400) },
    }),
  },
  events: {
    dispatched: event(Moved, { key: 'orderId' }),
    delivered: event(Moved, { key: 'orderId' }),
  },
})

import { z } from 'zod'
import { Link } from '../links.ts'
import { Amount } from '../money.ts'

const Times = { create_time: z.iso.datetime(), update_time: z.iso.datetime() }
const Invoice = z.string().min(1).max(127).describe("The merchant's own number of it")
const Custom = z.string().min(1).max(127).describe("Anything of the merchant's own; comes back with each payment")

/** Which order and which authorization something belongs to. */
const Related = z.object({
  related_ids: z.object({ order_id: z.uuid(), authorization_id: z.uuid().optional(), capture_id: z.uuid().optional() }),
})

const Payment = {
  id: z.uuid(),
  amount: Amount,
  invoice_id: Invoice.optional(),
  custom_id: Custom.optional(),
  supplementary_data: Related,
  links: z.array(Link),
  ...Times,
}

export const Authorization = z
  .object({
    status: z.enum(['CREATED', 'PARTIALLY_CAPTURED', 'CAPTURED', 'VOIDED', 'DENIED']),
    expiration_time: z.iso.datetime().describe('It is voided at this time'),
    ...Payment,
  })
  .meta({ id: 'Authorization', description: "Money of the payer's that is held for the merchant." })

export const Capture = z
  .object({
    status: z.enum(['COMPLETED', 'DECLINED', 'PARTIALLY_REFUNDED', 'REFUNDED']),
    final_capture: z.boolean().describe('Nothing more is captured of the authorization'),
    ...Payment,
  })
  .meta({ id: 'Capture', description: 'Money that the payer has paid to the merchant.' })

export const Refund = z
  .object({ status: z.enum(['COMPLETED', 'FAILED']), note_to_payer: z.string().optional(), ...Payment })
  .meta({ id: 'Refund', description: 'Money that the merchant has given back to the payer.' })

/** What the payment is for, as the merchant says it. */
export const PurchaseUnitRequest = z.object({
  reference_id: z.string().min(1).max(256).default('default'),
  amount: Amount,
  description: z.string().min(1).max(127).optional().describe('What the payer is shown'),
  custom_id: Custom.optional(),
  invoice_id: Invoice.optional(),
})

const PurchaseUnit = PurchaseUnitRequest.extend({
  reference_id: z.string(),
  payee: z.object({ merchant_id: z.string() }),
  payments: z
    .object({ authorizations: z.array(Authorization), captures: z.array(Capture), refunds: z.array(Refund) })
    .optional(),
}).meta({ id: 'PurchaseUnit' })

export const Intent = z
  .enum(['CAPTURE', 'AUTHORIZE'])
  .describe('CAPTURE: the money moves at once. AUTHORIZE: it is held first and captured later')

const OrderStatus = z.enum(['CREATED', 'APPROVED', 'COMPLETED', 'VOIDED'])

export const Order = z
  .object({
    id: z.uuid(),
    intent: Intent,
    status: OrderStatus,
    purchase_units: z.array(PurchaseUnit),
    payer: z.object({ payer_id: z.uuid() }).optional().describe('Who approved it'),
    links: z.array(Link),
    ...Times,
  })
  .meta({ id: 'Order', description: 'A payment that a merchant asks for and a payer approves.' })

export type Order = z.output<typeof Order>
export type Authorization = z.output<typeof Authorization>
export type Capture = z.output<typeof Capture>
export type Refund = z.output<typeof Refund>

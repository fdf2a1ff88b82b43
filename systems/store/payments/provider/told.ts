import { z } from 'zod'
import type { Facts } from '../facts.ts'
import { movedOf } from './provider.ts'

const Amount = z.object({ currency_code: z.string(), value: z.string() })

/** Of what the payment system tells, what the store reads; the rest, who paid among it, is dropped. */
const Told = z.object({
  id: z.uuid(),
  event_type: z.string(),
  resource: z.object({
    id: z.string(),
    amount: Amount.optional(),
    custom_id: z.string().optional(),
    purchase_units: z.array(z.object({ custom_id: z.string().optional() })).optional(),
    supplementary_data: z
      .object({ related_ids: z.object({ order_id: z.string(), authorization_id: z.string().optional() }) })
      .optional(),
  }),
})

/** One thing that the payment system told. */
export interface Told {
  readonly eventId: string
  /** The store's order; `undefined` when it is none of ours. */
  readonly orderId: string | undefined
  readonly facts: Facts
}

/** Reads the body of a webhook; `undefined` when it is not one. */
export function readTold(body: Uint8Array): Told | undefined {
  const read = Told.safeParse(parsed(body))
  if (!read.success) return undefined
  const { id: eventId, event_type, resource } = read.data
  const orderId = z.uuid().safeParse(resource.custom_id ?? resource.purchase_units?.[0]?.custom_id).data
  return { eventId, orderId, facts: factsOf(event_type, resource) }
}

/** Types that are not named here say nothing that the store has to know. */
function factsOf(type: string, { id, amount, supplementary_data }: z.output<typeof Told>['resource']): Facts {
  const related = supplementary_data?.related_ids
  const order = related === undefined ? {} : { providerOrderId: related.order_id }
  const moved = amount === undefined ? undefined : movedOf({ id, amount })
  switch (type) {
    case 'CHECKOUT.ORDER.APPROVED':
      return { providerOrderId: id, approved: true }
    case 'CHECKOUT.ORDER.VOIDED':
      return { providerOrderId: id, closed: true }
    case 'PAYMENT.AUTHORIZATION.CREATED':
      return { ...order, approved: true, authorizationId: id }
    case 'PAYMENT.AUTHORIZATION.DENIED':
      return { ...order, declined: 'authorization_denied' }
    case 'PAYMENT.AUTHORIZATION.VOIDED':
      return { ...order, closed: true }
    case 'PAYMENT.CAPTURE.COMPLETED':
      return { ...order, ...(moved === undefined ? {} : { capture: moved }) }
    case 'PAYMENT.CAPTURE.DENIED':
      return { ...order, declined: 'capture_denied' }
    case 'PAYMENT.CAPTURE.REFUNDED':
      // It tells of this refund, and not what all of them come to.
      return { ...order, unclear: true }
    default:
      return {}
  }
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

import { type Amount, type AmountFault, readAmount } from '../money.ts'
import { authorizationStanding, captureStanding, type Standing, wasCaptured } from './standing.ts'
import type { PaymentRow } from './tables.ts'

// Whether a movement may be made, as the order stands. Each is pure; its caller holds the order's lock.

/** A movement that may be made. */
export interface Movement {
  readonly kind: PaymentRow['kind']
  readonly about: string | null
  readonly amount: bigint
  readonly final: boolean
  readonly note: string | null
}

/** Movements that one order may have, those that were refused too. */
export const movementsMax = 100

const whole = { about: null, final: true, note: null } as const

export function decideAuthorize(standing: Standing) {
  const { order } = standing
  if (order.intent !== 'AUTHORIZE') return 'action_does_not_match_intent'
  if (order.status === 'CREATED') return 'order_not_approved'
  if (order.status === 'VOIDED') return 'order_voided'
  if (order.status === 'COMPLETED') return wasCaptured(standing) ? 'order_already_captured' : 'order_already_authorized'
  if (isFull(standing)) return 'max_number_of_payment_attempts_exceeded'
  return { ...whole, kind: 'authorization', amount: BigInt(order.amount) } satisfies Movement
}

export function decideCapture(standing: Standing) {
  const { order } = standing
  if (order.intent !== 'CAPTURE') return 'action_does_not_match_intent'
  if (order.status === 'CREATED') return 'order_not_approved'
  if (order.status === 'VOIDED') return 'order_voided'
  if (order.status === 'COMPLETED') return 'order_already_captured'
  if (isFull(standing)) return 'max_number_of_payment_attempts_exceeded'
  return { ...whole, kind: 'capture', amount: BigInt(order.amount) } satisfies Movement
}

export function decideCaptureAuthorization(
  standing: Standing,
  id: string,
  asked: { readonly amount?: Amount | undefined; readonly final_capture: boolean },
) {
  const authorization = paymentOf(standing, 'authorization', id)
  if (authorization === undefined) return 'invalid_resource_id'
  const { status, left } = authorizationStanding(standing, authorization)
  if (status === 'DENIED') return 'authorization_denied'
  if (status === 'VOIDED') return 'authorization_voided'
  if (status === 'CAPTURED') return 'authorization_already_captured'
  const amount = amountOf(asked.amount, left, standing.order.currency)
  if (amount === 'mismatch') return 'auth_capture_currency_mismatch'
  if (typeof amount === 'string') return amount
  if (amount > left) return 'max_capture_amount_exceeded'
  if (isFull(standing)) return 'max_number_of_payment_attempts_exceeded'
  const final = asked.final_capture || amount === left
  return { kind: 'capture', about: id, amount, final, note: null } satisfies Movement
}

export function decideVoid(standing: Standing, id: string) {
  const authorization = paymentOf(standing, 'authorization', id)
  if (authorization === undefined) return 'invalid_resource_id'
  const { status, left } = authorizationStanding(standing, authorization)
  if (status === 'DENIED') return 'authorization_denied'
  if (status === 'VOIDED') return 'previously_voided'
  if (status === 'CAPTURED') return 'previously_captured'
  return { kind: 'void', about: id, amount: left, final: true, note: null } satisfies Movement
}

export function decideRefund(
  standing: Standing,
  id: string,
  asked: { readonly amount?: Amount | undefined; readonly note_to_payer?: string | undefined },
) {
  const capture = paymentOf(standing, 'capture', id)
  if (capture === undefined) return 'invalid_resource_id'
  const { status, left } = captureStanding(standing, capture)
  if (status === 'DECLINED') return 'capture_not_completed'
  if (status === 'REFUNDED') return 'capture_fully_refunded'
  const amount = amountOf(asked.amount, left, standing.order.currency)
  if (amount === 'mismatch') return 'refund_capture_currency_mismatch'
  if (typeof amount === 'string') return amount
  if (amount > left) return 'refund_amount_exceeded'
  if (isFull(standing)) return 'max_number_of_refunds_exceeded'
  return {
    kind: 'refund',
    about: id,
    amount,
    final: amount === left,
    note: asked.note_to_payer ?? null,
  } satisfies Movement
}

function paymentOf({ payments }: Standing, kind: PaymentRow['kind'], id: string): PaymentRow | undefined {
  return payments.find((each) => each.id === id && each.kind === kind)
}

/** One place is kept for the void: what is held can always be given back. */
function isFull({ payments }: Standing): boolean {
  return payments.length >= movementsMax - 1
}

function amountOf(asked: Amount | undefined, left: bigint, currency: string): bigint | AmountFault | 'mismatch' {
  if (asked === undefined) return left
  const money = readAmount(asked)
  if (typeof money === 'string') return money
  return money.currency === currency ? money.minor : 'mismatch'
}

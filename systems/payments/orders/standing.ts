import type { OrderRow, PaymentRow } from './tables.ts'

// What the movements of an order add up to. Each is pure: rows in, amounts in minor units and words out.

/** An order with all its payments, oldest first. */
export interface Standing {
  readonly order: OrderRow
  readonly payments: readonly PaymentRow[]
}

/** Done payments of a kind that are about another one. */
function doneAbout({ payments }: Standing, kind: PaymentRow['kind'], about: string): readonly PaymentRow[] {
  return payments.filter((each) => each.kind === kind && each.about === about && each.state === 'done')
}

function sumOf(payments: readonly PaymentRow[]): bigint {
  return payments.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
}

/** How an authorization stands, and what can still be captured of it. */
export function authorizationStanding(standing: Standing, authorization: PaymentRow) {
  const captures = doneAbout(standing, 'capture', authorization.id)
  const voids = doneAbout(standing, 'void', authorization.id)
  const captured = sumOf(captures)
  const isOpen = authorization.state === 'done' && voids.length === 0 && !captures.some(({ final }) => final)
  return {
    status: authorizationStatus(authorization, captures, voids),
    left: isOpen ? BigInt(authorization.amount) - captured : 0n,
    updatedAt: latest([authorization, ...captures, ...voids]),
  }
}

function authorizationStatus(
  { state }: PaymentRow,
  captures: readonly PaymentRow[],
  voids: readonly PaymentRow[],
): 'CREATED' | 'PARTIALLY_CAPTURED' | 'CAPTURED' | 'VOIDED' | 'DENIED' {
  if (state === 'refused') return 'DENIED'
  if (voids.length > 0) return 'VOIDED'
  if (captures.some(({ final }) => final)) return 'CAPTURED'
  return captures.length > 0 ? 'PARTIALLY_CAPTURED' : 'CREATED'
}

/** How a capture stands, and what can still be refunded of it. */
export function captureStanding(standing: Standing, capture: PaymentRow) {
  const refunds = doneAbout(standing, 'refund', capture.id)
  const left = capture.state === 'done' ? BigInt(capture.amount) - sumOf(refunds) : 0n
  return { status: captureStatus(capture, refunds, left), left, updatedAt: latest([capture, ...refunds]) }
}

function captureStatus(
  { state }: PaymentRow,
  refunds: readonly PaymentRow[],
  left: bigint,
): 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'REFUNDED' {
  if (state === 'refused') return 'DECLINED'
  if (left === 0n) return 'REFUNDED'
  return refunds.length > 0 ? 'PARTIALLY_REFUNDED' : 'COMPLETED'
}

/** Money of the order went to the merchant, whether or not it was given back since. */
export function wasCaptured({ payments }: Standing): boolean {
  return payments.some(({ kind, state }) => kind === 'capture' && state === 'done')
}

/** The authorization of the order of which something can still be captured. */
export function openAuthorization(standing: Standing): PaymentRow | undefined {
  return standing.payments.find(
    (each) => each.kind === 'authorization' && authorizationStanding(standing, each).left > 0n,
  )
}

function latest(rows: readonly PaymentRow[]): Date {
  return new Date(Math.max(...rows.map((row) => row.updated_at.getTime())))
}

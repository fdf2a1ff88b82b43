import type { Tx } from 'trestle/store'
import type { Money } from '../money.ts'
import { type PaymentState, payments } from './contract.ts'
import type { PaymentRow, PaymentsTables } from './tables.ts'

/** Money that has moved at the payment system. */
export interface Moved {
  readonly id: string
  readonly amount: number
}

/**
 * What has been learnt of a payment. Each is true once and for ever, so that replies, webhooks and look-ups may come in
 * any order and any number.
 */
export interface Facts {
  readonly providerOrderId?: string
  readonly approveUrl?: string
  readonly approved?: true
  readonly authorizationId?: string
  readonly capture?: Moved
  /** All that has been given back: the first of the refunds, and what they come to. */
  readonly refund?: Moved
  /** More has happened than this tells: the payment system is to be asked. */
  readonly unclear?: true
  readonly declined?: string
  readonly closed?: true
}

/** Longest that the payment system is not asked about a payment of which something is still to come. */
export const lookAgainMaxMs = 5 * 60_000
const lookAgainMs = 15_000

/** Adds what was learnt to what is known of a payment, and tells of what is new. Answers with the payment as it is then. */
export async function learn(tx: Tx<PaymentsTables>, orderId: string, facts: Facts, now: number): Promise<PaymentRow> {
  const before = await lockPayment(tx, orderId)
  if (before === undefined) throw new Error(`something was learnt of the payment of ${orderId}, which there is not`)
  const after = withFacts(before, facts, now)
  const { order_id: _, ...values } = after
  await tx.db.updateTable('payments').set(values).where('order_id', '=', orderId).execute()
  tell(tx, before, after)
  return after
}

/** Locks a payment; `undefined` when there is none. */
export function lockPayment({ db }: Tx<PaymentsTables>, orderId: string): Promise<PaymentRow | undefined> {
  return db.selectFrom('payments').selectAll().where('order_id', '=', orderId).forUpdate().executeTakeFirst()
}

/** Publishes what holds after and did not before. */
export function tell(tx: Tx<PaymentsTables>, before: PaymentRow | undefined, after: PaymentRow): void {
  const orderId = after.order_id
  const decision = decisionOf(after)
  if (decision !== undefined && (before === undefined || decisionOf(before) === undefined)) {
    tx.publish(payments.events.decided, { orderId, approved: decision === 'approved' })
  }
  const captured = moneyOf(after, after.captured_amount)
  if (captured !== null && after.capture_id !== null && before?.capture_id === null) {
    tx.publish(payments.events.captured, { orderId, amount: captured, captureId: after.capture_id })
  }
  const refunded = stateOf(after) === 'refunded' ? moneyOf(after, after.refunded_amount) : null
  if (refunded !== null && after.refund_id !== null && before !== undefined && stateOf(before) !== 'refunded') {
    tx.publish(payments.events.refunded, { orderId, amount: refunded, refundId: after.refund_id })
  }
}

/** How far the payment has come. It is refunded when nothing is left of what was captured. */
export function stateOf(row: PaymentRow): PaymentState {
  if (row.refunded_amount !== null && row.refunded_amount === row.captured_amount) return 'refunded'
  if (row.capture_id !== null) return 'captured'
  if (row.declined_reason !== null) return 'declined'
  if (row.closing_at !== null || row.closed_at !== null) return 'closed'
  if (row.authorization_id !== null) return 'authorised'
  if (row.approved_at !== null) return 'approved'
  return row.provider_order_id === null ? 'new' : 'open'
}

/** An amount of a payment, in its currency. */
export function moneyOf({ currency }: PaymentRow, amount: string | null): Money | null {
  return currency === null || amount === null ? null : { amount: Number(amount), currency }
}

function withFacts(row: PaymentRow, facts: Facts, now: number): PaymentRow {
  const at = new Date(now)
  const known: PaymentRow = {
    ...row,
    provider_order_id: row.provider_order_id ?? facts.providerOrderId ?? null,
    approve_url: row.approve_url ?? facts.approveUrl ?? null,
    approved_at: row.approved_at ?? (facts.approved === true ? at : null),
    authorization_id: row.authorization_id ?? facts.authorizationId ?? null,
    capture_id: row.capture_id ?? facts.capture?.id ?? null,
    captured_amount: row.captured_amount ?? textOf(facts.capture),
    declined_reason: row.declined_reason ?? facts.declined ?? null,
    closed_at: row.closed_at ?? (facts.closed === true ? at : null),
  }
  // Nothing is refunded that was not captured.
  const refund = known.capture_id === null ? undefined : facts.refund
  const isMore = refund !== undefined && refund.amount > Number(row.refunded_amount ?? 0)
  return {
    ...known,
    refund_id: row.refund_id ?? refund?.id ?? null,
    refunded_amount: isMore ? textOf(refund) : row.refunded_amount,
    look_at: facts.unclear === true ? at : isFinal(known) ? null : new Date(now + lookAfterMs(row, now)),
  }
}

function lookAfterMs(row: PaymentRow, now: number): number {
  return Math.min(lookAgainMaxMs, lookAgainMs + ageOf(row, now) / 4)
}

/** Whether nothing more is to come, unless the store asks for it. */
function isFinal(row: PaymentRow): boolean {
  return row.capture_id !== null || row.closed_at !== null
}

function decisionOf(row: PaymentRow): 'approved' | 'not' | undefined {
  if (row.approved_at !== null || row.authorization_id !== null || row.capture_id !== null) return 'approved'
  return row.declined_reason !== null || row.closing_at !== null || row.closed_at !== null ? 'not' : undefined
}

function ageOf(row: PaymentRow, now: number): number {
  return Math.max(0, now - row.created_at.getTime())
}

function textOf(moved: Moved | undefined): string | null {
  return moved === undefined ? null : String(moved.amount)
}

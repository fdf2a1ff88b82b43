import { moneyOf, stateOf } from './facts.ts'
import type { PaymentRow } from './tables.ts'

/** A payment as the contract shows it. */
export function paymentView(row: PaymentRow) {
  const state = stateOf(row)
  return {
    orderId: row.order_id,
    state,
    amount: moneyOf(row, row.amount),
    captured: moneyOf(row, row.captured_amount),
    refunded: moneyOf(row, row.refunded_amount),
    // Once it is closed nobody shall approve it any more.
    approveUrl: state === 'open' ? row.approve_url : null,
    reason: row.declined_reason,
    providerOrderId: row.provider_order_id,
    authorizationId: row.authorization_id,
    captureId: row.capture_id,
    refundId: row.refund_id,
    createdAt: row.created_at.toISOString(),
  }
}

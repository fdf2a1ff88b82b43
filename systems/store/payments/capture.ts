import { attempt } from './attempt.ts'
import { lockPayment, stateOf } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

/**
 * Decides between capturing and closing, whichever is asked first: notes that capturing begins, if the payment is
 * authorised and nobody wants it closed. Answers with the payment; `undefined`: there is none.
 */
export function wantCaptured({ store, now }: PaymentsWork, orderId: string): Promise<PaymentRow | undefined> {
  return store.transaction(async (tx) => {
    const payment = await lockPayment(tx, orderId)
    if (payment === undefined || payment.capturing_at !== null || stateOf(payment) !== 'authorised') return payment
    const at = new Date(now())
    await tx.db.updateTable('payments').set({ capturing_at: at }).where('order_id', '=', orderId).execute()
    return { ...payment, capturing_at: at }
  })
}

/** Takes the money of a payment that is being captured. @throws CallError as long as nobody knows whether it was taken */
export function captureNow(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<PaymentRow> {
  const { order_id: orderId, provider_order_id: id, authorization_id: held } = payment
  if (id === null || held === null) throw new Error(`the payment of ${orderId} is not authorised`)
  return attempt(work, orderId, {
    kind: 'capture',
    ask: (requestId) => provider.capture(work, requestId, held),
    look: async () => declinedUnlessCaptured(await provider.find(work, id)),
    refused: (code) => ({ declined: code }),
  })
}

function declinedUnlessCaptured(facts: Awaited<ReturnType<Provider['find']>>) {
  return facts.capture === undefined ? { ...facts, declined: 'authorization_voided' } : facts
}

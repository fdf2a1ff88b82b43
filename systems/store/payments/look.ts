import { requestIdOf } from './attempt.ts'
import { type Facts, learn } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

const perRunMax = 200

/**
 * Asks the payment system about the payments of which it should have told something by now: an answer or a webhook may
 * have been lost. Answers how many these were.
 */
export async function lookAfterPayments(work: PaymentsWork, provider: Provider): Promise<number> {
  const due = await work.store.db
    .selectFrom('payments')
    .selectAll()
    .where('look_at', '<=', new Date(work.now()))
    .orderBy('look_at')
    .limit(perRunMax)
    .execute()
  for (const payment of due) {
    const facts = (await look(work, provider, payment)) ?? {}
    await work.store.transaction((tx) => learn(tx, payment.order_id, facts, work.now()))
  }
  return due.length
}

function look(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<Facts | undefined> {
  const { order_id: orderId, provider_order_id: id } = payment
  return id === null ? provider.search(work, requestIdOf(orderId, 'create')) : provider.find(work, id)
}

import type { Kysely } from 'kysely'
import { requestIdOf } from './attempt.ts'
import { type Facts, learn } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow, PaymentsTables } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

const perRunMax = 100

/**
 * Asks the payment system about the payments of which it should have told something by now: an answer or a webhook may
 * have been lost. Answers how many these were.
 */
export async function lookAfterPayments(work: PaymentsWork, provider: Provider): Promise<number> {
  const due = await paymentsDue(work.store.db, work.now())
  const seen = await Promise.all(due.map(async (payment) => [payment, await look(work, provider, payment)] as const))
  if (due.length === 0) return 0
  await work.store.transaction(async (tx) => {
    for (const [{ order_id: orderId }, facts = {}] of seen) await learn(tx, orderId, facts, work.now())
  })
  return due.length
}

/** In the order of their ids: so they are locked, here and elsewhere. */
async function paymentsDue(db: Kysely<PaymentsTables>, now: number): Promise<readonly PaymentRow[]> {
  return await db
    .selectFrom('payments')
    .selectAll()
    .where('look_at', '<=', new Date(now))
    .orderBy('order_id')
    .limit(perRunMax)
    .execute()
}

function look(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<Facts | undefined> {
  const { order_id: orderId, provider_order_id: id } = payment
  return id === null ? provider.search(work, requestIdOf(orderId, 'create')) : provider.find(work, id)
}

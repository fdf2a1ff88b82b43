import type { Money } from '../money.ts'
import { attempt, requestIdOf } from './attempt.ts'
import { lockPayment } from './facts.ts'
import { giveBack } from './give-back.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

const lookAfterMs = 15_000

/** Asks the payment system for the money of an order, once. A payment that was closed before stays closed. */
export async function beginPayment(
  work: PaymentsWork,
  provider: Provider,
  wanted: { readonly orderId: string; readonly amount: Money },
): Promise<PaymentRow> {
  const payment = await open(work, wanted)
  if (payment.closing_at !== null || payment.provider_order_id !== null) return payment
  const begun = await attempt(work, wanted.orderId, {
    kind: 'create',
    ask: (requestId) => provider.create(work, requestId, wanted),
    look: () => provider.search(work, requestIdOf(wanted.orderId, 'create')),
    refused: (code) => ({ declined: code }),
  })
  // Closed while it began: what has now come into being is closed too. Where that was first, nobody is shown where to approve it.
  return begun.closing_at === null ? begun : await giveBack(work, provider, wanted.orderId)
}

function open(
  { store, now }: PaymentsWork,
  { orderId, amount }: { readonly orderId: string; readonly amount: Money },
): Promise<PaymentRow> {
  return store.transaction(async (tx) => {
    await tx.db
      .insertInto('payments')
      .values({
        order_id: orderId,
        amount: String(amount.amount),
        currency: amount.currency,
        created_at: new Date(now()),
        look_at: new Date(now() + lookAfterMs),
      })
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .execute()
    // There is one now, and none is ever deleted.
    return (await lockPayment(tx, orderId)) as PaymentRow
  })
}

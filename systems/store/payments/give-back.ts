import { attempt, requestIdOf } from './attempt.ts'
import { captureNow } from './capture.ts'
import { learn, lockPayment, stateOf, tell } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

/** What a look may find in the way: first the order, then its authorization, then that both are void. */
const closingRoundsMax = 3

/**
 * Sees to it that no money of an order stays here. Once this has begun, nothing is captured any more; where capturing has
 * begun before, its end is awaited and the money refunded.
 * @throws CallError as long as nobody knows whether the money is back
 */
export async function giveBack(work: PaymentsWork, provider: Provider, orderId: string): Promise<PaymentRow> {
  let payment = await wantClosed(work, orderId)
  if (payment.capturing_at !== null && payment.capture_id === null && payment.declined_reason === null) {
    payment = await captureNow(work, provider, payment)
  }
  if (stateOf(payment) === 'refunded') return payment
  return payment.capture_id === null ? await close(work, provider, payment) : await refund(work, provider, payment)
}

/** Notes that nothing may be captured from here on, unless that has begun; also of a payment that has not begun. */
function wantClosed({ store, now }: PaymentsWork, orderId: string): Promise<PaymentRow> {
  return store.transaction(async (tx) => {
    const at = new Date(now())
    await tx.db
      .insertInto('payments')
      .values({ order_id: orderId, amount: null, currency: null, closing_at: at, created_at: at })
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .execute()
    // There is one now, and none is ever deleted.
    const before = (await lockPayment(tx, orderId)) as PaymentRow
    if (before.closing_at !== null || before.capturing_at !== null) return before
    const after = { ...before, closing_at: at }
    await tx.db.updateTable('payments').set({ closing_at: at }).where('order_id', '=', orderId).execute()
    tell(tx, before, after)
    return after
  })
}

async function close(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<PaymentRow> {
  const { order_id: orderId } = payment
  let known = await found(work, provider, payment)
  for (let round = 0; round < closingRoundsMax && known.closed_at === null; round++) {
    const { provider_order_id: id, authorization_id: held } = known
    if (id === null) return await closed(work, orderId)
    const look = () => provider.find(work, id)
    known =
      held === null
        ? await attempt(work, orderId, {
            kind: 'void-order',
            ask: (requestId) => provider.voidOrder(work, requestId, id),
            look,
            refused: asClosed,
          })
        : await attempt(work, orderId, {
            kind: 'void-authorization',
            ask: (requestId) => provider.voidAuthorization(work, requestId, held),
            look,
            refused: asClosed,
          })
  }
  if (known.capture_id !== null) return await refund(work, provider, known)
  if (known.closed_at === null) throw new Error(`the payment of ${orderId} does not close`)
  return known
}

/** There is nothing to let go. */
function asClosed() {
  return { closed: true as const }
}

/** The payment, with its number at the payment system should only the answer that said it have been lost. */
async function found(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<PaymentRow> {
  if (payment.provider_order_id !== null) return payment
  const facts = await provider.search(work, requestIdOf(payment.order_id, 'create'))
  if (facts === undefined) return payment
  return await work.store.transaction((tx) => learn(tx, payment.order_id, facts, work.now()))
}

/** The payment system knows nothing of it. Should it hear of it later, nobody is shown where to approve it. */
function closed({ store, now }: PaymentsWork, orderId: string): Promise<PaymentRow> {
  return store.transaction((tx) => learn(tx, orderId, { closed: true }, now()))
}

async function refund(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<PaymentRow> {
  const { order_id: orderId, capture_id: captureId, provider_order_id: id } = payment
  if (captureId === null || id === null) throw new Error(`the payment of ${orderId} was not captured`)
  const look = () => provider.find(work, id)
  return await attempt(work, orderId, {
    kind: 'refund',
    ask: async (requestId) => {
      await provider.refund(work, requestId, captureId)
      return await look()
    },
    look,
    refused: () => undefined,
  })
}

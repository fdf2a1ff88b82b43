import type { Kysely } from 'kysely'
import { requestIdOf } from './attempt.ts'
import { type Facts, learn, lookAgainMaxMs } from './facts.ts'
import type { Provider } from './provider/provider.ts'
import type { PaymentRow, PaymentsTables } from './tables.ts'
import type { PaymentsWork } from './uses.ts'

const perRunMax = 100
/** No look is planned further ahead, also by a clock that differs a little. */
const latestMs = lookAgainMaxMs + 60_000

/**
 * Asks the payment system about the payments of which it should have told something by now: an answer or a webhook may
 * have been lost. Answers how many these were.
 */
export async function lookAfterPayments(work: PaymentsWork, provider: Provider): Promise<number> {
  const due = await paymentsDue(work.store.db, work.now())
  const seen = await Promise.allSettled(due.map((payment) => look(work, provider, payment)))
  if (due.length === 0) return 0
  await work.store.transaction(async (tx) => {
    for (const [index, { order_id: orderId }] of due.entries()) {
      const answer = seen[index]
      // One that cannot be looked at waits for its next turn like the others, and holds none of them up.
      await learn(tx, orderId, answer?.status === 'fulfilled' ? (answer.value ?? {}) : {}, work.now())
    }
  })
  const failures = seen.filter((answer) => answer.status === 'rejected')
  if (failures[0] !== undefined) {
    const of = due.length
    work.log.warn({ failed: failures.length, of, err: failures[0].reason }, 'payments could not be looked at')
  }
  return due.length
}

/** Those that wait longest, in the order of their ids: so they are locked, here and elsewhere. */
async function paymentsDue(db: Kysely<PaymentsTables>, now: number): Promise<readonly PaymentRow[]> {
  const due = await db
    .selectFrom('payments')
    .selectAll()
    // Later than anybody can have said: the clock was put back since.
    .where((each) => each.or([each('look_at', '<=', new Date(now)), each('look_at', '>', new Date(now + latestMs))]))
    .orderBy('look_at')
    .limit(perRunMax)
    .execute()
  return due.toSorted((a, b) => (a.order_id < b.order_id ? -1 : 1))
}

function look(work: PaymentsWork, provider: Provider, payment: PaymentRow): Promise<Facts | undefined> {
  const { order_id: orderId, provider_order_id: id } = payment
  return id === null ? provider.search(work, requestIdOf(orderId, 'create')) : provider.find(work, id)
}

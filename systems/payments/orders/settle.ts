import type { Kysely } from 'kysely'
import type { Tx } from 'trestle/store'
import { switchesAreOn } from '../development.ts'
import { writeAmount } from '../money.ts'
import { orders } from './contract.ts'
import { lockStanding, standingOf } from './order-rows.ts'
import { openAuthorization, type Standing, wasCaptured } from './standing.ts'
import type { OrderRow, OrdersTables, PaymentRow } from './tables.ts'
import type { OrdersWork } from './uses.ts'
import { authorizationView, captureView, refundView } from './views.ts'

type Outcome = 'done' | 'refused'

/**
 * Ends a pending movement: asks the ledger, which answers the same however often it is asked under this id, and notes its
 * answer, which the first one does who comes to it. Safe at once with itself.
 * @param order the movement's order, where it is at hand
 * @returns the order as it stands then
 */
export async function settle(work: OrdersWork, payment: PaymentRow, order?: OrderRow): Promise<Standing> {
  const outcome = await makeMovement(work, order ?? (await orderOf(work.store.db, payment)), payment)
  return await work.store.transaction(async (tx) => {
    const locked = await lockStanding(tx.db, payment.order_id)
    if (locked === undefined) throw gone(payment)
    if (!locked.payments.some(({ id, state }) => id === payment.id && state === 'pending')) return locked
    const after = withEnded(locked, payment.id, outcome, new Date(work.now()))
    await write(tx.db, after, payment.id, outcome)
    publish(tx, after, { ...payment, state: outcome })
    return after
  })
}

async function orderOf(db: Kysely<OrdersTables>, payment: PaymentRow): Promise<OrderRow> {
  const standing = await standingOf(db, payment.order_id)
  if (standing === undefined) throw gone(payment)
  return standing.order
}

function gone({ id }: PaymentRow): Error {
  return new Error(`the order of payment ${id} has gone`)
}

async function makeMovement(work: OrdersWork, order: OrderRow, payment: PaymentRow): Promise<Outcome> {
  const { ledger } = work.call
  if (payment.kind === 'void') {
    await ledger.release({ id: idOf(payment.about) })
    return 'done'
  }
  if (payment.kind !== 'refund' && (await isDeclined(work, order, payment))) return 'refused'
  const { id } = payment
  const common = {
    id,
    amount: writeAmount(BigInt(payment.amount), order.currency),
    payer_id: idOf(order.payer_id),
    merchant_id: order.merchant_id,
    order_id: order.id,
    ...(order.invoice_id === null ? {} : { invoice_id: order.invoice_id }),
  }
  const done =
    payment.kind === 'authorization'
      ? await ledger.hold.try(common)
      : payment.kind === 'refund'
        ? await ledger.refund.try({ ...common, capture_id: idOf(payment.about) })
        : await ledger.capture.try({
            ...common,
            final: payment.final,
            ...(payment.about === null ? {} : { hold_id: payment.about }),
          })
  if (done.ok) return 'done'
  if (done.error.code === 'insufficient_funds') return 'refused'
  throw done.error
}

/** Switches for tests make wallets decline; they answer the same for one payment. */
async function isDeclined({ call }: OrdersWork, { payer_id }: OrderRow, { id, kind }: PaymentRow): Promise<boolean> {
  if (!switchesAreOn()) return false
  const { email } = await call.wallets.find({ payer_id: idOf(payer_id) })
  const step = kind === 'authorization' ? 'authorize' : 'capture'
  const { declined } = await call.switches.take({ payment_id: id, step, payer: [idOf(payer_id), email] })
  return declined
}

/** The order once the movement has ended. */
function withEnded({ order, payments }: Standing, id: string, state: Outcome, at: Date): Standing {
  const after = payments.map((each) => (each.id === id ? { ...each, state, updated_at: at } : each))
  const ended = { order, payments: after }
  const held_until = openAuthorization(ended)?.expires_at ?? null
  return { order: { ...order, status: nextStatus(ended, id), held_until, updated_at: at }, payments: after }
}

function nextStatus(standing: Standing, id: string): OrderRow['status'] {
  const { order, payments } = standing
  const payment = payments.find((each) => each.id === id)
  if (payment?.state !== 'done') return order.status
  if (payment.kind !== 'void') return 'COMPLETED'
  return wasCaptured(standing) ? order.status : 'VOIDED'
}

async function write(db: Kysely<OrdersTables>, { order }: Standing, id: string, state: Outcome): Promise<void> {
  const { status, held_until, updated_at } = order
  await Promise.all([
    db.updateTable('payments').set({ state, updated_at }).where('id', '=', id).execute(),
    db.updateTable('orders').set({ status, held_until, updated_at }).where('id', '=', order.id).execute(),
  ])
}

function publish(tx: Tx<OrdersTables>, standing: Standing, payment: PaymentRow): void {
  const { events } = orders
  const about = { orderId: standing.order.id, merchantId: standing.order.merchant_id }
  const done = payment.state === 'done'
  const row =
    standing.payments.find(({ id }) => id === (payment.kind === 'void' ? payment.about : payment.id)) ?? payment
  switch (payment.kind) {
    case 'authorization':
      tx.publish(done ? events.authorizationCreated : events.authorizationDenied, {
        ...about,
        resource: authorizationView(standing, row),
      })
      break
    case 'void':
      tx.publish(events.authorizationVoided, { ...about, resource: authorizationView(standing, row) })
      break
    case 'capture':
      tx.publish(done ? events.captureCompleted : events.captureDenied, {
        ...about,
        resource: captureView(standing, row),
      })
      break
    case 'refund':
      if (done) tx.publish(events.captureRefunded, { ...about, resource: refundView(standing, row) })
      break
  }
}

/** Whoever moves money has a payer, and what is captured, refunded or voided is there: the tables say so. */
function idOf(id: string | null): string {
  if (id === null) throw new TypeError('a movement without a payer or without what it is about')
  return id
}

import { saga } from 'trestle/saga'
import { inventory } from '../inventory/contract.ts'
import { payments } from '../payments/contract.ts'
import { shipping } from '../shipping/contract.ts'
import { orders } from './contract.ts'
import { confirm, offerPayment, reject } from './settle.ts'

/** How long a buyer has to approve the payment. */
export const approvalMs = 30 * 60_000

/** From a placed order to a paid one whose parcel is ready, or to one that is rejected and has left nothing behind. */
export const checkout = saga('checkout', { on: orders.events.placed, uses: { inventory, payments, shipping } })
  .step('hold', {
    run: ({ event, call }) => call.inventory.hold({ orderId: event.id }),
    undo: ({ event, call }) => call.inventory.release({ orderId: event.id }),
  })
  .step('begin', {
    run: ({ event, call }) => call.payments.begin({ orderId: event.id, amount: event.total }),
    undo: ({ event, call }) => call.payments.refund({ orderId: event.id }),
  })
  .write('offer', ({ event, results, tx }) => offerPayment(tx, event.id, results.begin.approveUrl))
  .waitFor('decision', payments.events.decided, { timeoutMs: approvalMs })
  .step('authorise', {
    run: ({ event, call }) => call.payments.authorise({ orderId: event.id }),
    undo: ({ event, call }) => call.payments.refund({ orderId: event.id }),
  })
  .pivot('capture', { run: ({ event, call }) => call.payments.capture({ orderId: event.id }) })
  .step('take', {
    async run({ event, call }) {
      const taken = await call.inventory.commit.try({ orderId: event.id })
      // Cancelled meanwhile: what was given back is not taken again.
      if (!taken.ok && taken.error.code !== 'reservation_closed') throw taken.error
    },
  })
  .step('ship', {
    run: ({ event: { id, customerId, lines }, call }) => call.shipping.prepare({ orderId: id, customerId, lines }),
  })
  .write('confirm', ({ event, results, tx }) => confirm(tx, event.id, results.ship.id))
  .whenUndone(({ event, failure, tx, now }) => reject(tx, event.id, failure, new Date(now())))

import { saga } from 'trestle/saga'
import { inventory } from '../inventory/contract.ts'
import { payments } from '../payments/contract.ts'
import { shipping } from '../shipping/contract.ts'
import { orders } from './contract.ts'
import { cancel, keep, markShipped } from './settle.ts'

/**
 * Cancels an order wherever its checkout is: keeps the parcel here, gives the money back, frees the stock. A checkout that
 * is on its way finds the payment closed, or its stock and parcel taken back, and ends.
 */
export const cancellation = saga('cancellation', {
  on: orders.events.cancelRequested,
  uses: { inventory, payments, shipping },
})
  .pivot('recall', { run: ({ event, call }) => call.shipping.recall({ orderId: event.id }) })
  .step('refund', { run: ({ event, call }) => call.payments.refund({ orderId: event.id }) })
  .step('release', { run: ({ event, call }) => call.inventory.release({ orderId: event.id }) })
  .write('cancel', ({ event, results, tx, now }) =>
    cancel(tx, event.id, { at: new Date(now()), refunded: results.refund.state === 'refunded' }),
  )
  .whenUndone(async ({ event, failure, tx, now }) => {
    if (failure.code === 'already_dispatched') await markShipped(tx, event.id, new Date(now()))
    else await keep(tx, event.id)
  })

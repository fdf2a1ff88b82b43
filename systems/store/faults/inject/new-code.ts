import { setTimeout as sleep } from 'node:timers/promises'
import type { SourceChange } from 'trestle/testing'
import type { Fault } from '../fault.ts'

/** The checkout gets a step more: those that run go on as they began. */
const newCheckout: SourceChange = {
  name: 'a second version of the checkout',
  file: 'systems/store/orders/checkout.ts',
  find: "export const checkout = saga('checkout', { on: orders.events.placed, uses: { inventory, payments, shipping } })\n  .step('hold', {",
  put: "const first = saga('checkout', { on: orders.events.placed, uses: { inventory, payments, shipping } })\n  .step('hold', {",
}

const both: SourceChange = {
  name: 'both versions of the checkout',
  file: 'systems/store/orders/checkout.ts',
  find: '  .whenUndone(({ event, failure, tx, now }) => reject(tx, event.id, failure, new Date(now())))\n',
  put: `  .whenUndone(({ event, failure, tx, now }) => reject(tx, event.id, failure, new Date(now())))

export const checkout = saga('checkout', {
  on: orders.events.placed,
  uses: { inventory, payments, shipping },
  version: 2,
  earlier: [first],
})
  .step('hold', {
    run: ({ event, call }) => call.inventory.hold({ orderId: event.id }),
    undo: ({ event, call }) => call.inventory.release({ orderId: event.id }),
  })
  .step('hold-again', { run: ({ event, call }) => call.inventory.hold({ orderId: event.id }) })
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
      if (!taken.ok && taken.error.code !== 'reservation_closed') throw taken.error
    },
  })
  .step('ship', {
    run: ({ event: { id, customerId, lines }, call }) => call.shipping.prepare({ orderId: id, customerId, lines }),
  })
  .write('confirm', ({ event, results, tx }) => confirm(tx, event.id, results.ship.id))
  .whenUndone(({ event, failure, tx, now }) => reject(tx, event.id, failure, new Date(now())))
`,
}

export const newCode: readonly SourceChange[] = [newCheckout, both]

/** New code beside old: one replica of two is replaced, both work, then all are. */
export const deployFaults: readonly Fault[] = [
  {
    name: 'old and new replicas of orders share the work',
    of: [19],
    only: 'split',
    async inject({ store, control }) {
      control.change(...newCode)
      const [first] = (await store.processes()).filter(({ service }) => service === 'orders')
      if (first === undefined) throw new Error('orders has no process')
      process.kill(first.pid, 'SIGTERM')
      await sleep(4_000)
      await store.operator.act('deploy', 'orders')
      return control.changed().includes(both.name) ? 1 : 0
    },
  },
  {
    name: 'new code goes on with what old code began',
    of: [19],
    only: 'merged',
    async inject({ store, control }) {
      control.change(...newCode)
      await store.stop()
      await store.ensure()
      return control.changed().includes(both.name) ? 1 : 0
    },
  },
]

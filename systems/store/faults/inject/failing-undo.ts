import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, until } from '../fault.ts'

const often = 6
const mostMs = 12_000
const undoing = /\/(void|refund)(\?|$)/

/** What takes a payment back fails again and again; then orders are started anew, and it works. */
export const failingUndo: Fault = {
  name: 'undo fails again and again, then new code starts',
  of: [17],
  async inject({ store, payments, toPayments, topology }) {
    const failed = () => toPayments.happened().status
    const before = failed()
    await payments.operator.call('switches', 'set', { decline_authorizations: 6 })
    toPayments.rule(({ target }) => (undoing.test(target) ? { kind: 'status', status: 500 } : undefined))
    try {
      await until('undo that fails', () => failed() - before >= often, mostMs).catch(() => {})
    } finally {
      toPayments.rule(undefined)
    }
    if (topology === 'split') await store.operator.act('deploy', 'orders')
    else {
      await store.stop()
      await store.ensure()
    }
    await sleep(500)
    return failed() - before
  },
}

import type { Fault } from '../fault.ts'
import { endDatabase } from './processes.ts'

/** The payment system ends, wholly or in parts. */
export const paymentSystemFaults: readonly Fault[] = [
  {
    name: 'kill -9 everything of the payment system',
    of: [1, 2, 15],
    async inject({ payments }) {
      await payments.kill()
      await payments.ensure()
      return 1
    },
  },
  {
    name: 'kill -9 orders and ledger of the payment system',
    of: [1, 2, 11, 15],
    only: 'split',
    async inject({ payments }) {
      const those = (await payments.processes()).filter(({ service }) => ['orders', 'ledger'].includes(service))
      for (const { pid } of those) process.kill(pid, 'SIGKILL')
      return those.length
    },
  },
  {
    name: 'kill -9 PostgreSQL of the payment system',
    of: [4],
    inject: ({ payments }) => endDatabase(payments, 'SIGKILL', 1),
  },
]

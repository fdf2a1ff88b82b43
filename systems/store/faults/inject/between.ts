import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy, ProxyFault } from 'trestle/testing'
import { type Fault, until } from '../fault.ts'
import type { Stage } from '../stage.ts'

/** A fault lasts until it has happened so often, and at least and at most so long. */
const often = 3
const leastMs = 1_500
const mostMs = 10_000

/** How often a proxy has done it to requests. */
async function during(proxy: FaultProxy, fault: (target: string) => ProxyFault | undefined): Promise<number> {
  const count = () => Object.values(proxy.happened()).reduce((sum, each) => sum + each, 0)
  const before = count()
  proxy.rule(({ target }) => fault(target))
  try {
    await sleep(leastMs)
    await until('the fault', () => count() - before >= often, mostMs).catch(() => {})
  } finally {
    proxy.rule(undefined)
  }
  return count() - before
}

function between(name: string, of: readonly number[], kindOf: (target: string) => ProxyFault | undefined): Fault {
  return { name, of, inject: ({ toPayments }: Stage) => during(toPayments, kindOf) }
}

const steps = /\/(authorize|capture|refund|void)(\?|$)/

/** The payment system is slow, breaks off, hangs or fails; and so is the way back. */
export const dependencyFaults: readonly Fault[] = [
  between('the payment system is slow', [], () => ({ kind: 'delay', delayMs: 700 })),
  between('connections to the payment system break before a request', [], () => ({ kind: 'reset' })),
  between('connections to the payment system break after a request', [15], () => ({ kind: 'cut', afterMs: 150 })),
  between('the payment system answers 500', [], () => ({ kind: 'status', status: 500 })),
  between('the payment system does it and answers too late', [16], (target) =>
    steps.test(target) ? { kind: 'hang', delayMs: 25_000 } : undefined,
  ),
  {
    name: 'the store cannot be told by the payment system',
    of: [],
    inject: ({ toStore }) => during(toStore, () => ({ kind: 'cut', afterMs: 50 })),
  },
]

/** Switches of the payment system: it declines, it works and does not answer, it tells late, twice and out of order. */
export const switchFaults: readonly Fault[] = [
  {
    name: 'the payment system declines',
    of: [],
    inject: async ({ payments }) => {
      await payments.operator.call('switches', 'set', { decline_authorizations: 3, decline_captures: 2 })
      return 5
    },
  },
  {
    name: 'the payment system works and does not answer',
    of: [16],
    inject: async ({ payments }) => {
      await payments.operator.call('switches', 'set', {
        time_out_authorizations: 2,
        time_out_captures: 2,
        time_out_refunds: 2,
      })
      return 6
    },
  },
  {
    name: 'webhooks come late, twice and out of order',
    of: [8, 14],
    inject: async ({ payments }) => {
      const input = { webhooks_late_ms: 300, webhooks_repeated: 2, webhooks_reordered_ms: 800 }
      await payments.operator.call('switches', 'set', input)
      await sleep(3_000)
      await payments.operator.call('switches', 'reset', {})
      return 1
    },
  },
]

import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { goOn } from './processes.ts'

/** So many authorisations must be on their way when their owner falls asleep. */
const underWay = 2
const sleepsMs = 7_000

/**
 * Halts a replica of orders while steps of its sagas wait for answers of the payment system, so long that another one takes
 * them over and finishes them, and lets it go on: it then believes that its steps took too long. Resolves with how often.
 */
export async function haltOwner({ store, toPayments }: Stage, times: number): Promise<number> {
  let halted = 0
  for (; halted < times; halted += 1) {
    let authorising = 0
    toPayments.rule(({ target }) => {
      if (!target.endsWith('/authorize')) return undefined
      authorising += 1
      return { kind: 'delay', delayMs: 1_200 }
    })
    await until('authorisations', () => authorising >= underWay)
    const replicas = (await store.processes()).filter(({ service }) => service === 'orders')
    const pid = replicas[halted % replicas.length]?.pid
    if (pid === undefined || replicas.length < 2) throw new Error('orders must have two replicas')
    process.kill(pid, 'SIGSTOP')
    try {
      await sleep(sleepsMs)
    } finally {
      goOn(pid)
      toPayments.rule(undefined)
    }
    await sleep(1_500)
  }
  return halted
}

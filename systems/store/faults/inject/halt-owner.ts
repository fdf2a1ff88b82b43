import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { goOn } from './processes.ts'

/** So many authorisations must be on their way when their owner falls asleep; it gets none of their answers. */
const underWay = 4
const sleepsMs = 8_000
const firstAnswerMs = 12_000

/**
 * Halts a replica of orders while steps of its sagas wait for answers of the payment system that are late, so long that
 * another one takes them over, asks again and finishes them; then lets it go on while nobody answers: it believes that its
 * steps took too long.
 * Resolves with how often.
 */
export async function haltOwner({ store, toPayments }: Stage, times: number): Promise<number> {
  let halted = 0
  for (; halted < times; halted += 1) {
    const asked = new Set<string>()
    toPayments.rule(({ target }) => {
      if (!target.endsWith('/authorize') || asked.has(target) || asked.size >= underWay) return undefined
      asked.add(target)
      return { kind: 'hang', delayMs: firstAnswerMs }
    })
    await until('authorisations', () => asked.size >= underWay)
    const replicas = (await store.processes()).filter(({ service }) => service === 'orders')
    const pid = replicas[halted % replicas.length]?.pid
    if (pid === undefined || replicas.length < 2) throw new Error('orders must have two replicas')
    process.kill(pid, 'SIGSTOP')
    try {
      await sleep(sleepsMs)
      // Whoever wakes up asks again at once: it must not get the answer that its successor got.
      const callee = (await store.processes()).find(({ service }) => service === 'payments')
      if (callee !== undefined) process.kill(callee.pid, 'SIGKILL')
    } finally {
      goOn(pid)
      toPayments.rule(undefined)
    }
    await sleep(1_500)
  }
  return halted
}

import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './fault.ts'
import type { Operator } from './operator.ts'

/** Services that handle events. */
const services = ['carts', 'notifications', 'orders', 'recommendations']
const everyMs = 1_000
const mostMs = 60_000

/**
 * What a person does with parked keys once their handlers are well again: until nothing is parked and nothing waits, and still
 * nothing a moment later. What a dead process had in hand waits until its claim has run out, and may be parked then. The system
 * may be starting and not answer. Resolves with how many keys there were.
 */
export async function redrive(operator: Operator): Promise<number> {
  let keys = 0
  let looksWithout = 0
  const isNoneLeft = async () => {
    await sleep(everyMs)
    try {
      const left = await Promise.all(
        services.map(async (service) => {
          const parked = await operator.parked(service)
          for (const subscription of new Set(parked.map((each) => each.subscription))) {
            keys += await operator.redrive(service, subscription)
          }
          return parked.length + (await operator.unhandled(service))
        }),
      )
      looksWithout = left.every((count) => count === 0) ? looksWithout + 1 : 0
    } catch {
      looksWithout = 0
    }
    return looksWithout === 2
  }
  await until('the end of parked keys', isNoneLeft, mostMs).catch(() => {})
  return keys
}

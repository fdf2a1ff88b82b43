import { readFileSync } from 'node:fs'
import { skuAt } from '../../seed/product-at.ts'
import { type Fault, until } from '../fault.ts'
import type { RunningSystem } from '../running-system.ts'

const leastMs = 1_500
const mostMs = 20_000
/** A product that visitors do not buy: its deliveries need room. */
const delivered = skuAt(55)
const atOnce = 8

/** The disk under the store's databases is full until PostgreSQL has felt it. */
export const diskFull: Fault = {
  name: 'the disk of the store is full',
  of: [21],
  async inject({ disk, store }, draws) {
    if (disk.missing !== undefined) throw new Error(disk.missing)
    const complaints = () => complaintsOf(store)
    const before = complaints()
    await disk.fill()
    try {
      await new Promise((resolve) => setTimeout(resolve, leastMs))
      const felt = async () => {
        // What is there has some room left in its pages; goods that come fill it.
        const numbers = Array.from({ length: atOnce }, () => `${draws.below(1e9)}`)
        await Promise.all(numbers.map((number) => deliver(store, number)))
        return complaints() > before
      }
      await until('a complaint of PostgreSQL', felt, mostMs).catch(() => {})
      return complaints() - before
    } finally {
      await disk.clear()
    }
  },
}

/** By what its clients were told: its own log lies on the same disk, and has no room either. */
function complaintsOf({ settings }: RunningSystem): number {
  return readFileSync(settings.logFile, 'utf8').split('No space left on device').length
}

async function deliver({ operator }: RunningSystem, number: string): Promise<void> {
  // It may well fail: that is what it is for.
  await operator.call('inventory', 'restock', { sku: delivered, quantity: 1, delivery: number }).catch(() => {})
}

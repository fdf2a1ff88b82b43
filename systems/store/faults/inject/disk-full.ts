import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, until } from '../fault.ts'

const leastMs = 1_500
const mostMs = 10_000

/** The disk under the store's databases is full until PostgreSQL has felt it. */
export const diskFull: Fault = {
  name: 'the disk of the store is full',
  of: [21],
  async inject({ disk, store }) {
    if (disk.missing !== undefined) throw new Error(disk.missing)
    const complaints = () =>
      readFileSync(join(store.settings.dataDir, 'postgres', 'server.log'), 'utf8').split('No space left on device')
        .length
    const before = complaints()
    await disk.fill()
    try {
      await new Promise((resolve) => setTimeout(resolve, leastMs))
      await until('a complaint of PostgreSQL', () => complaints() > before, mostMs).catch(() => {})
      return complaints() - before
    } finally {
      await disk.clear()
    }
  },
}

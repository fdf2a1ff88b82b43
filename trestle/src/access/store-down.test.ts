import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { access } from '../gateway/access/contract.ts'
import { local, type TestSystem } from '../testing/index.ts'
import { eventually } from './fixtures/edge.ts'

const priced = new URL('./fixtures/priced/system.ts', import.meta.url)

async function databaseServerOf({ dataDir }: TestSystem): Promise<number> {
  const files = await readdir(dataDir, { recursive: true })
  const found = files.find((file) => file.endsWith('postmaster.pid'))
  if (found === undefined) throw new Error('no database server has written its pid')
  return Number.parseInt(await readFile(join(dataDir, found), 'utf8'), 10)
}

describe('a gateway whose PostgreSQL is killed under load', () => {
  it('answers 503 while no units can be leased, never 500, serves again by itself, and no unit twice', async () => {
    await using system = await local.start(priced, { stores: 'own' })
    const keys = system.client(access)
    const { secret } = await keys.createKey({ name: 'x', owner: 'ada', plan: 'free' })
    const seen: number[] = []
    const load = { goesOn: true }
    const ask = async () => {
      const reply = await system.fetch('/lookup/1', { headers: { 'x-api-key': secret } })
      await reply.arrayBuffer()
      seen.push(reply.status)
      return reply.status
    }
    expect(await ask()).toBe(200)
    const server = await databaseServerOf(system)
    process.kill(server, 'SIGKILL')
    // Nine at once, one after the other each; they pause where nothing is served, as clients are told to.
    const clients = Array.from({ length: 9 }, async () => {
      while (load.goesOn && seen.length < 20_000) {
        if ((await ask()) !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    await eventually(() => seen.includes(503), 20_000)
    await eventually(() => seen.includes(429), 60_000)
    load.goesOn = false
    await Promise.all(clients)
    expect(new Set(seen)).toEqual(new Set([200, 503, 429]))
    const served = seen.filter((status) => status === 200).length
    // What was leased when the server died counts as spent: at most a block for each time that nobody knew.
    expect(served).toBeLessThanOrEqual(40)
    expect(served).toBeGreaterThan(20)
  }, 120_000)
})

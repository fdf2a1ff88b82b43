import { describe, expect, it } from 'vitest'
import { runners } from '../testing/index.ts'

describe.each(runners)('a rate limit that gateways share on the runner %s', (runner) => {
  it('lets through what it allows, however many gateways there are', async () => {
    const limited = new URL('./fixtures/limited/system.ts', import.meta.url)
    await using system = await runner.start(limited, { replicas: { gateway: 2 } })
    const counted = new Map<number, number>()
    // A slow machine may answer 503 for a while: then it is asked for longer.
    for (let round = 0; round < 20 || (round < 1_000 && !counted.has(429)); round += 1) {
      // A new connection for each, so that both gateways get some.
      const ask = () => system.fetch('/counts/a', { headers: { connection: 'close' } })
      for (const { status } of await Promise.all([ask(), ask(), ask(), ask()])) {
        counted.set(status, (counted.get(status) ?? 0) + 1)
      }
    }
    const of = (status: number) => counted.get(status) ?? 0
    // Nobody has counted anything there yet: who is let through learns that.
    expect(of(404)).toBeLessThanOrEqual(20)
    // What came too late from the database is a 503, and may have been counted.
    expect(of(404) + of(503)).toBeGreaterThanOrEqual(20)
    expect(of(429)).toBeGreaterThan(0)
    expect([...counted.keys()].every((status) => [404, 429, 503].includes(status))).toBe(true)
  })
})

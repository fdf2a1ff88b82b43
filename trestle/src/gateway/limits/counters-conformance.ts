import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import type { Counters, Demand } from './counters.ts'
import { waitMsFor } from './gcra.ts'
import { type Limit, openLimit } from './limit.ts'
import { type RateLimitOptions, rateLimitSpec } from './rate-limit-spec.ts'

export interface CountersUnderTest {
  readonly counters: Pick<Counters, 'take'>
  close(): Promise<void>
}

const dayMs = 86_400_000

/** What every place to count in must do. The clock is the store's own, so short windows are waited for. */
export function countersConformance(name: string, open: () => Promise<CountersUnderTest>): void {
  describe(`rate counters in ${name}`, () => {
    let tested: CountersUnderTest
    let next = 0
    beforeAll(async () => {
      tested = await open()
    })
    afterAll(() => tested.close())

    const limit = (options: Omit<RateLimitOptions, 'per'>): Limit => {
      next += 1
      return openLimit(rateLimitSpec({ per: 'ip', ...options }), `limit-${process.pid}-${next}`, systemClock)
    }
    const take = async (...demands: (readonly [Limit, key: string, cost?: number])[]) =>
      await tested.counters.take(demands.map(([one, key, cost = 1]): Demand => ({ limit: one, key, cost })))

    it('let a burst in and nothing more, and say the debt', async () => {
      const hourly = limit({ allow: 3, windowMs: 3_600_000 })
      for (const units of [1, 2, 3]) {
        const { allowed, debtsMs } = await take([hourly, 'a'])
        expect(allowed).toBe(true)
        expect(debtsMs[0]).toBeGreaterThan(units * 1_200_000 - 10_000)
        expect(debtsMs[0]).toBeLessThanOrEqual(units * 1_200_000 + 0.01)
      }
      const refused = await take([hourly, 'a'])
      expect(refused.allowed).toBe(false)
      const waitMs = waitMsFor(hourly.law, refused.debtsMs[0] as number, 1)
      expect(waitMs).toBeGreaterThan(1_190_000)
      expect(waitMs).toBeLessThanOrEqual(1_200_000)
    })

    it('keep keys and limits apart, also those whose names would join to the same text', async () => {
      const [one, other] = [limit({ allow: 1, windowMs: dayMs }), limit({ allow: 1, windowMs: dayMs })]
      expect((await take([one, 'a'])).allowed).toBe(true)
      expect((await take([one, 'b:a'])).allowed).toBe(true)
      expect((await take([one, 'b'])).allowed).toBe(true)
      expect((await take([other, 'a'])).allowed).toBe(true)
      expect((await take([one, 'a'])).allowed).toBe(false)
    })

    it('let in exactly a burst of what comes at once', async () => {
      const one = limit({ allow: 10, windowMs: dayMs })
      const taken = await Promise.all(Array.from({ length: 40 }, () => take([one, 'crowd'])))
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(10)
    })

    it('let in again when the debt is over, and not before', async () => {
      const one = limit({ allow: 1, windowMs: 150 })
      const started = performance.now()
      expect((await take([one, 'a'])).allowed).toBe(true)
      let tries = 0
      while (!(await take([one, 'a'])).allowed) {
        expect(performance.now() - started).toBeLessThan(5_000)
        tries += 1
      }
      expect(tries).toBeGreaterThan(0)
      // The store's clock and this one may differ by the way to it.
      expect(performance.now() - started).toBeGreaterThan(148)
    })

    it('take what several limits ask, or nothing of any', async () => {
      const [wide, narrow] = [limit({ allow: 3, windowMs: dayMs }), limit({ allow: 1, windowMs: dayMs })]
      expect((await take([wide, 'a'], [narrow, 'a'])).allowed).toBe(true)
      const refused = await take([wide, 'a'], [narrow, 'a'])
      expect(refused.allowed).toBe(false)
      expect(refused.debtsMs[0]).toBeLessThanOrEqual(dayMs / 3 + 0.01)
      // What was given back is so a moment later where a step back is a step of its own.
      const until = performance.now() + 5_000
      let left = await take([wide, 'a', 0])
      while ((left.debtsMs[0] as number) > dayMs / 3 + 0.01 && performance.now() < until)
        left = await take([wide, 'a', 0])
      expect(left.debtsMs[0]).toBeLessThanOrEqual(dayMs / 3 + 0.01)
      expect([(await take([wide, 'a'])).allowed, (await take([wide, 'a'])).allowed]).toEqual([true, true])
      expect((await take([wide, 'a'])).allowed).toBe(false)
    })

    it('take what a request costs', async () => {
      const one = limit({ allow: 10, windowMs: dayMs })
      expect((await take([one, 'a', 7])).allowed).toBe(true)
      expect((await take([one, 'a', 4])).allowed).toBe(false)
      expect((await take([one, 'a', 0])).allowed).toBe(true)
      expect((await take([one, 'a', 3])).allowed).toBe(true)
      expect((await take([one, 'a', 1])).allowed).toBe(false)
    })
  })
}

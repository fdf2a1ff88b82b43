import { assert, integer, property, uuid } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { triesMax, waitMs } from './retry.ts'

describe('the wait between tries', () => {
  it('doubles up to six hours and is at most halved, the same for the same delivery', () => {
    assert(
      property(uuid(), integer({ min: 1, max: triesMax }), (id, tries) => {
        const longest = Math.min(6 * 3_600_000, 1_000 * 2 ** (tries - 1))
        const wait = waitMs(id, tries)
        expect(wait).toBeGreaterThanOrEqual(longest / 2)
        expect(wait).toBeLessThanOrEqual(longest)
        expect(waitMs(id, tries)).toBe(wait)
      }),
    )
  })

  it('is another one for another delivery, and all of them are about three days', () => {
    const waits = Array.from({ length: 100 }, (_, n) => waitMs(`delivery-${n}`, 10))
    expect(new Set(waits).size).toBeGreaterThan(90)
    const days =
      Array.from({ length: triesMax - 1 }, (_, n) => waitMs('delivery', n + 1)).reduce((a, b) => a + b) / 86_400_000
    expect(days).toBeGreaterThan(1.3)
    expect(days).toBeLessThan(3)
  })
})

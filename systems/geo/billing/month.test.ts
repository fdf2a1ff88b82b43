import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { monthlyPrice } from '../plans.ts'
import { boundsOf, linesOf, monthAfter, monthOf } from './month.ts'

const at = (text: string) => Date.parse(`${text}Z`)
const premium = (from: string, to?: string) => ({
  plan: 'premium' as const,
  startMs: at(from),
  endMs: to === undefined ? undefined : at(to),
})

describe('a month', () => {
  it('is one of UTC, and goes on after December', () => {
    expect(monthOf(at('2026-11-30T23:59:59.999'))).toBe('2026-11')
    expect(monthAfter('2026-12')).toBe('2027-01')
    expect(monthAfter('2026-01', -1)).toBe('2025-12')
    expect(boundsOf('2028-02').endMs - boundsOf('2028-02').startMs).toBe(29 * 86_400_000)
  })

  it.each([
    ['a whole month', [premium('2026-10-05T00:00', '2026-12-07T00:00')], 30],
    ['a month that goes on', [premium('2026-11-01T00:00')], 30],
    ['its last second', [premium('2026-11-30T23:59:59')], 1],
    ['one day, begun and ended', [premium('2026-11-10T08:00', '2026-11-10T09:00')], 1],
    ['an hour on each side of midnight', [premium('2026-11-10T23:00', '2026-11-11T01:00')], 2],
    ['until midnight', [premium('2026-11-10T12:00', '2026-11-11T00:00')], 1],
    [
      'twice on one day',
      [premium('2026-11-10T01:00', '2026-11-10T02:00'), premium('2026-11-10T03:00', '2026-11-10T04:00')],
      1,
    ],
  ])('costs %s by its days', (_, periods, days) => {
    const amount = Math.round((monthlyPrice.premium * days) / 30)
    expect(linesOf('2026-11', periods)).toEqual([{ plan: 'premium', days, amount }])
  })

  it.each([
    ['before', [premium('2026-10-01T00:00', '2026-11-01T00:00')]],
    ['after', [premium('2026-12-01T00:00')]],
    ['for no time at all', [premium('2026-11-10T08:00', '2026-11-10T08:00')]],
    ['never', []],
  ])('costs nothing for a plan that held %s', (_, periods) => {
    expect(linesOf('2026-11', periods)).toEqual([])
  })

  it('never costs more than its price, however often the plan was changed', () => {
    const instant = fc.integer({ min: at('2026-10-01T00:00'), max: at('2026-12-31T00:00') })
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 12 }), (instants) => {
        const times = instants.toSorted((a, b) => a - b)
        const periods = times.flatMap((startMs, n) =>
          n % 2 === 0 ? [{ plan: 'premium' as const, startMs, endMs: times[n + 1] }] : [],
        )
        const total = linesOf('2026-11', periods).reduce((sum, { amount }) => sum + amount, 0)
        expect(total).toBeLessThanOrEqual(monthlyPrice.premium)
      }),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Money, sum, times } from './money.ts'

const eur = (amount: number): Money => ({ amount, currency: 'EUR' })

describe('money', () => {
  it('adds up in whole minor units, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10_000_000 }), { maxLength: 100 }), (amounts) => {
        const there = sum(amounts.map(eur))
        const back = sum(amounts.toReversed().map(eur))
        expect(there).toEqual(back)
        expect(there.amount).toBe(amounts.reduce((a, b) => a + b, 0))
      }),
    )
  })

  it('is nothing in the store currency when there is nothing to add', () => {
    expect(sum([])).toEqual(eur(0))
  })

  it('refuses to add different currencies', () => {
    expect(() => sum([eur(1), { amount: 1, currency: 'USD' }])).toThrow(RangeError)
  })

  it('refuses a product that is not a whole number of minor units', () => {
    expect(times(eur(333), 3)).toEqual(eur(999))
    expect(() => times(eur(Number.MAX_SAFE_INTEGER), 2)).toThrow(RangeError)
    expect(() => times(eur(1), 0.5)).toThrow(RangeError)
  })

  it('has no fractions, no negative amounts and only ISO codes on the wire', () => {
    for (const wrong of [
      { amount: 0.5, currency: 'EUR' },
      { amount: -1, currency: 'EUR' },
      { amount: 1, currency: 'euro' },
    ]) {
      expect(Money.safeParse(wrong).success).toBe(false)
    }
  })
})

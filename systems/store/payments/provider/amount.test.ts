import { describe, expect, it } from 'vitest'
import { readAmount, writeAmount } from './amount.ts'

describe('an amount', () => {
  it.each([
    [0, '0.00'],
    [1, '0.01'],
    [99, '0.99'],
    [1_234, '12.34'],
    [100_000_000_000, '1000000000.00'],
  ])('of %d hundredths is written %s, and read back', (amount, value) => {
    expect(writeAmount({ amount, currency: 'EUR' })).toEqual({ currency_code: 'EUR', value })
    expect(readAmount({ currency_code: 'EUR', value })).toBe(amount)
  })

  it('without a point is whole', () => {
    expect(readAmount({ currency_code: 'EUR', value: '12' })).toBe(1_200)
  })

  it.each(['', '1.2', '1.234', '-1.00', '1,00', '1e3', 'x'])('is not %j', (value) => {
    expect(() => readAmount({ currency_code: 'EUR', value })).toThrow(RangeError)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Amount, currencies, readAmount, writeAmount } from './money.ts'

const amount = (value: string, currency_code = 'EUR') => ({ currency_code, value })

describe('an amount', () => {
  it('is read in minor units of its currency', () => {
    expect(readAmount(amount('19.99'))).toEqual({ minor: 1999n, currency: 'EUR' })
    expect(readAmount(amount('19.9'))).toEqual({ minor: 1990n, currency: 'EUR' })
    expect(readAmount(amount('19'))).toEqual({ minor: 1900n, currency: 'EUR' })
    expect(readAmount(amount('19', 'JPY'))).toEqual({ minor: 19n, currency: 'JPY' })
  })

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 99_999_999_999n }), fc.constantFrom(...currencies), (minor, currency) => {
        const written = writeAmount(currency === 'JPY' || currency === 'KRW' ? minor / 1_000n + 1n : minor, currency)
        const read = readAmount(written)
        expect(Amount.safeParse(written).success).toBe(true)
        expect(typeof read === 'string' ? read : writeAmount(read.minor, read.currency)).toEqual(written)
      }),
    )
  })

  it('of less than nothing keeps its sign', () => {
    expect(writeAmount(-5n, 'EUR').value).toBe('-0.05')
    expect(writeAmount(-1999n, 'JPY').value).toBe('-1999')
  })

  it('that cannot be paid is told why', () => {
    expect(readAmount(amount('1.999'))).toBe('decimal_precision')
    expect(readAmount(amount('1.5', 'JPY'))).toBe('decimals_not_supported')
    expect(readAmount(amount('0.00'))).toBe('cannot_be_zero_or_negative')
    expect(readAmount(amount('1', 'XAU'))).toBe('currency_not_supported')
  })

  it('has no sign, no exponent, no blanks and no separators on the wire', () => {
    for (const value of ['-1', '+1', '1e3', ' 1', '1,000', '1.', '.5', '', '0x10', '9'.repeat(13)]) {
      expect(Amount.safeParse(amount(value)).success).toBe(false)
    }
  })
})

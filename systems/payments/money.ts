import { problem } from 'trestle/contract'
import { z } from 'zod'

/** Digits behind the point, for every currency that can be paid with. Source: ISO 4217. */
const exponents = {
  AUD: 2,
  CAD: 2,
  CHF: 2,
  CZK: 2,
  DKK: 2,
  EUR: 2,
  GBP: 2,
  JPY: 0,
  KRW: 0,
  NOK: 2,
  NZD: 2,
  PLN: 2,
  SEK: 2,
  SGD: 2,
  USD: 2,
} as const

export type Currency = keyof typeof exponents

/** The currencies that can be paid with. */
export const currencies = Object.keys(exponents) as Currency[]

/** An amount on the wire: a decimal number as text, in the currency's own digits. */
export const Amount = z
  .object({
    currency_code: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .describe('ISO 4217 code'),
    value: z
      .string()
      .regex(/^\d{1,12}(?:\.\d{1,3})?$/)
      .describe('19.99; a currency without a smaller unit has no digits behind the point'),
  })
  .meta({ id: 'Amount', description: 'An amount of money.' })

export type Amount = z.output<typeof Amount>

/** A sum on the wire, which may be less than nothing and more than any one amount. */
export const Sum = z
  .object({ currency_code: z.string(), value: z.string().regex(/^-?\d{1,20}(?:\.\d{1,3})?$/) })
  .meta({ id: 'Sum', description: 'A sum of money.' })

/** An amount inside: minor units (cents), never a fraction, never a float. */
export interface Money {
  readonly minor: bigint
  readonly currency: Currency
}

/** What can be wrong with an amount: errors of every operation that takes one. */
export const amountFaults = {
  currency_not_supported: problem(422, 'Nothing can be paid in this currency'),
  decimals_not_supported: problem(422, 'This currency has no digits behind the point'),
  decimal_precision: problem(422, 'The amount has more digits behind the point than its currency'),
  cannot_be_zero_or_negative: problem(422, 'The amount must be more than nothing'),
}

export type AmountFault = keyof typeof amountFaults

/** An amount of the wire in minor units, or what is wrong with it. */
export function readAmount({ currency_code, value }: Amount): Money | AmountFault {
  if (!isCurrency(currency_code)) return 'currency_not_supported'
  const exponent = exponents[currency_code]
  const [units = '', decimals = ''] = value.split('.')
  if (decimals.length > exponent) return exponent === 0 ? 'decimals_not_supported' : 'decimal_precision'
  const minor = BigInt(units + decimals.padEnd(exponent, '0'))
  return minor === 0n ? 'cannot_be_zero_or_negative' : { minor, currency: currency_code }
}

/**
 * Minor units as an amount of the wire.
 * @throws RangeError for a currency that is not ours
 */
export function writeAmount(minor: bigint, currency: string): Amount {
  if (!isCurrency(currency)) throw new RangeError(`${currency} is not a currency of this system`)
  const exponent = exponents[currency]
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0')
  const units = digits.slice(0, digits.length - exponent)
  const value = exponent === 0 ? units : `${units}.${digits.slice(-exponent)}`
  return { currency_code: currency, value: minor < 0n ? `-${value}` : value }
}

function isCurrency(code: string): code is Currency {
  return Object.hasOwn(exponents, code)
}

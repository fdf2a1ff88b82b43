import type { Money } from '../../money.ts'

/** An amount as the payment system writes it: digits with a point. */
export interface Amount {
  readonly currency_code: string
  readonly value: string
}

/** Minor units as the payment system writes them. The store sells in currencies of hundredths only. */
export function writeAmount({ amount, currency }: Money): Amount {
  const digits = String(amount).padStart(3, '0')
  return { currency_code: currency, value: `${digits.slice(0, -2)}.${digits.slice(-2)}` }
}

/** @throws RangeError for what is no amount of hundredths */
export function readAmount({ value }: Amount): number {
  const [, units, hundredths = '00'] = /^(\d{1,12})(?:\.(\d{2}))?$/.exec(value) ?? []
  if (units === undefined) throw new RangeError(`${JSON.stringify(value)} is no amount in hundredths`)
  return Number(units) * 100 + Number(hundredths)
}

import { z } from 'zod'

/** An amount of money: minor units (cents) and an ISO 4217 currency. Never a fraction, never a float. */
export const Money = z
  .object({
    amount: z.int().min(0).describe('Minor units: 1999 is 19.99'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .describe('ISO 4217 code'),
  })
  .meta({ id: 'Money', description: 'An amount in minor units, and its currency.' })

export type Money = z.output<typeof Money>

/** The one currency that this store sells in. */
export const storeCurrency = 'EUR'

/** What `quantity` pieces cost. */
export function times(price: Money, quantity: number): Money {
  return money(price.amount * quantity, price.currency)
}

/**
 * The sum of a list; nothing costs nothing, in the store's currency.
 * @throws RangeError when currencies mix or the sum leaves the safe integers
 */
export function sum(parts: readonly Money[]): Money {
  const currency = parts[0]?.currency ?? storeCurrency
  if (parts.some((part) => part.currency !== currency)) throw new RangeError('money of different currencies has no sum')
  return money(
    parts.reduce((total, part) => total + part.amount, 0),
    currency,
  )
}

function money(amount: number, currency: string): Money {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} ${currency} is not a whole number of minor units`)
  return { amount, currency }
}

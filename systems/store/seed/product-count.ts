const usual = 100_000
const most = 1_000_000

/**
 * How many products the store starts with: `STORE_PRODUCTS`, 100,000 unless said otherwise.
 * @throws RangeError when it is not a whole number from 0 to 1,000,000
 */
export function productCount(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const said = env.STORE_PRODUCTS
  if (said === undefined || said === '') return usual
  const count = Number(said)
  if (!Number.isInteger(count) || count < 0 || count > most) {
    throw new RangeError(`STORE_PRODUCTS=${said}: say a whole number from 0 to ${most}`)
  }
  return count
}

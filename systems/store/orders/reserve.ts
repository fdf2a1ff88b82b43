import type { Client } from 'trestle/service'
import type { inventory } from '../inventory/contract.ts'

/** The reservation of an earlier try with the same key may have run out; each try that was too slow leaves one behind. */
const triesMax = 10

interface Wanted {
  readonly lines: { readonly sku: string; readonly quantity: number }[]
  readonly newId: () => string
}

/** Reserves the stock of an order, or answers what there is not enough of. The order gets the id that was free. */
export async function reserve(calls: Client<typeof inventory>, { lines, newId }: Wanted) {
  for (let tries = 1; ; tries++) {
    const orderId = newId()
    const reserved = await calls.reserve.try({ orderId, lines })
    if (reserved.ok) return { orderId }
    const { error } = reserved
    if (error.code === 'out_of_stock') return { short: error.details }
    if (error.code !== 'reservation_closed' || tries === triesMax) throw error
  }
}

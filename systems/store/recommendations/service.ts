import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { catalogue } from '../catalogue/contract.ts'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { orders } from '../orders/contract.ts'
import { shopperOf } from '../shopper.ts'
import { recommendations } from './contract.ts'
import { count, countsBehind, forCustomer, soldMost, togetherWith } from './counts.ts'
import type { RecommendationsTables } from './tables.ts'

const impl = implement(recommendations, {
  uses: { catalogue },
  store: postgres<RecommendationsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const forProduct = impl.handler('forProduct', async ({ input, call, store, fail }) => {
  const product = await call.catalogue.find.try({ id: input.id })
  if (!product.ok) {
    if (product.error.code === 'product_not_found') return fail('product_not_found')
    throw product.error
  }
  return await shown(call.catalogue.bySku, await togetherWith(store.db, product.value.sku, input.limit))
})

const forCaller = impl.handler('forCaller', async ({ input: { limit }, caller, call, store }) => {
  const customerId = shopperOf(caller)
  const mine = customerId === undefined ? [] : await forCustomer(store.db, customerId, limit)
  return await shown(call.catalogue.bySku, mine.length > 0 ? mine : await soldMost(store.db, limit))
})

const counts = impl.handler('counts', async ({ input, store, fail }) => {
  const after = input.cursor === undefined ? null : placeOf(['counts'], input.cursor, z.tuple([z.string()]))
  if (after === undefined) return fail('cursor_invalid')
  const found = await countsBehind(store.db, after?.[0] ?? null, input.limit + 1)
  return cutPage(found, input.limit, (last) => cursorBehind(['counts'], [last.sku]))
})

/** Bought together is what was ordered together: whether it was paid for in the end says little about that. */
const countOrders = impl.on(
  orders.events.placed,
  ({ events, tx }) =>
    count(
      tx.db,
      events.map(({ event: { customerId, lines }, meta }) => ({
        customerId,
        skus: lines.map((line) => line.sku),
        at: meta.occurredAt,
      })),
    ),
  { batch: 500 },
)

export default impl.service({ handlers: { forProduct, forCaller, counts }, on: [countOrders] })

type BySku = (input: { skus: string[] }) => Promise<{ items: Shown[] }>
type Shown = {
  id: string
  sku: string
  name: string
  price: { amount: number; currency: string }
  priceVersion: number
}

/** Products in this order, with their prices of now; what is no longer sold is left out. */
async function shown(bySku: BySku, skus: readonly string[]) {
  const { items } = skus.length === 0 ? { items: [] } : await bySku({ skus: [...skus] })
  return { items: items.toSorted((a, b) => skus.indexOf(a.sku) - skus.indexOf(b.sku)) }
}

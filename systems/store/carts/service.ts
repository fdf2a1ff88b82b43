import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { catalogue } from '../catalogue/contract.ts'
import { orders } from '../orders/contract.ts'
import { shopperOf } from '../shopper.ts'
import { type CartItem, clearLines, readCart, removeLine, setLine } from './cart-rows.ts'
import { cartView, type PricedProduct } from './cart-view.ts'
import { carts, linesMax } from './contract.ts'
import type { CartsTables } from './tables.ts'

const impl = implement(carts, {
  uses: { catalogue },
  store: postgres<CartsTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const mine = impl.handler('mine', async ({ caller, call, store, fail }) => {
  const { lines } = await readCart(store.db, shopperOf(caller) ?? fail('not_a_shopper'))
  return await priced(call.catalogue.bySku, lines)
})

const setItem = impl.handler('setItem', async ({ input, caller, call, store, fail }) => {
  const userId = shopperOf(caller) ?? fail('not_a_shopper')
  const { items } = await call.catalogue.bySku({ skus: [input.sku] })
  if (items.length === 0) return fail('sku_unknown', { sku: input.sku })
  const lines = await store.transaction(async ({ db }) => {
    if (!(await setLine(db, userId, input))) return fail('cart_full', { linesMax })
    return (await readCart(db, userId)).lines
  })
  return await priced(call.catalogue.bySku, lines, items)
})

const removeItem = impl.handler('removeItem', async ({ input, caller, call, store, fail }) => {
  const userId = shopperOf(caller) ?? fail('not_a_shopper')
  const lines = await store.transaction(async ({ db }) => {
    await removeLine(db, userId, input.sku)
    return (await readCart(db, userId)).lines
  })
  return await priced(call.catalogue.bySku, lines)
})

const read = impl.handler('read', ({ input, store }) => readCart(store.db, input.userId, input.after))

/** What was ordered leaves the cart; what was put into it or changed meanwhile stays. */
const clear = impl.on(orders.events.placed, ({ event, tx }) => clearLines(tx.db, event.customerId, event.cartVersion))

export default impl.service({ handlers: { mine, setItem, removeItem, read }, on: [clear] })

type BySku = (input: { skus: string[] }) => Promise<{ items: PricedProduct[] }>

/** The cart with the prices of now; only products that are not `known` from this request are asked for. */
async function priced(bySku: BySku, lines: readonly CartItem[], known: readonly PricedProduct[] = []) {
  const skus = lines.map((line) => line.sku).filter((sku) => !known.some((product) => product.sku === sku))
  const { items } = skus.length === 0 ? { items: [] } : await bySku({ skus })
  return cartView(lines, [...known, ...items])
}

import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from '../list.ts'
import { productCount } from '../seed/product-count.ts'
import { changePrice as changed } from './change-price.ts'
import { catalogue } from './contract.ts'
import { loadProducts } from './load-products.ts'
import { productById, productOf, productsBySku } from './read-products.ts'
import { searchProducts } from './search-products.ts'
import type { CatalogueTables } from './tables.ts'

const impl = implement(catalogue, {
  store: postgres<CatalogueTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const list = impl.handler('list', async ({ input, store, fail }) => {
  const page = (await searchProducts(store.db, input)) ?? fail('cursor_invalid')
  return { items: page.items.map(productOf), next: page.next }
})

const find = impl.handler(
  'find',
  async ({ input, store, fail }) => (await productById(store.db, input.id)) ?? fail('product_not_found'),
)

const categories = impl.handler('categories', async ({ store }) => ({
  items: await store.db.selectFrom('categories').select(['id', 'name', 'parent']).orderBy('position').execute(),
  next: null,
}))

const prices = impl.handler('prices', async ({ input, store, fail }) => {
  const ofProduct = ['prices', input.id]
  const after = input.cursor === undefined ? null : placeOf(ofProduct, input.cursor, z.tuple([z.int32()]))
  if (after === undefined) return fail('cursor_invalid')
  const rows = await store.db
    .selectFrom('prices')
    .select(['version', 'amount', 'currency', 'valid_from'])
    .where('product_id', '=', input.id)
    .where('version', '<', after === null ? 2 ** 31 - 1 : after[0])
    .orderBy('version', 'desc')
    .limit(input.limit + 1)
    .execute()
  if (rows.length === 0 && after === null) return fail('product_not_found')
  const page = cutPage(rows, input.limit, (last) => cursorBehind(ofProduct, [last.version]))
  return {
    items: page.items.map(({ version, amount, currency, valid_from }) => ({
      version,
      price: { amount: Number(amount), currency },
      from: valid_from.toISOString(),
    })),
    next: page.next,
  }
})

const changePrice = impl.handler('changePrice', async ({ input, caller, store, fail, now }) => {
  const change = { ...input, changedBy: `${caller.kind}:${caller.id}`, at: new Date(now()) }
  const product = await store.transaction(({ db }) => changed(db, change))
  if (product === undefined) return fail('product_not_found')
  return typeof product === 'number' ? fail('price_changed', { version: product }) : product
})

const bySku = impl.handler('bySku', async ({ input, store }) => ({ items: await productsBySku(store.db, input.skus) }))

export default impl.service({
  handlers: { list, find, categories, prices, changePrice, bySku },
  start: (args) => loadProducts(args, productCount()),
})

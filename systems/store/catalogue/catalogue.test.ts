import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { categories, departments } from '../seed/departments.ts'
import { productAt } from '../seed/product-at.ts'
import { type Services, startServices } from '../testing/services.ts'
import { loadProducts } from './load-products.ts'
import type { CatalogueTables } from './tables.ts'

const count = 400
let services: Services

beforeAll(async () => {
  services = await startServices(['catalogue'], count)
})
afterAll(() => services[Symbol.asyncDispose]())

const catalogue = () => services.as({ kind: 'operator', id: 'olga', scopes: [] }).catalogue
type List = Parameters<ReturnType<typeof catalogue>['list']>[0]

async function everyPage(search: List) {
  const pages = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await catalogue().list({ ...search, ...(cursor === undefined ? {} : { cursor }) })
    pages.push(page.items)
    cursor = page.next
  }
  return pages
}

describe('the catalogue', () => {
  it('has each product of the seed once', async () => {
    const all = (await everyPage({ limit: 100 })).flat()
    const seed = Array.from({ length: count }, (_, index) => productAt(index))
    expect(new Set(all.map((product) => product.id)).size).toBe(count)
    expect(all.map((product) => product.sku).toSorted()).toEqual(seed.map((product) => product.sku).toSorted())
    const one = seed[123] as (typeof seed)[0]
    const { priceAmount: amount, ...rest } = one
    const product = { ...rest, price: { amount, currency: 'EUR' }, priceVersion: 1 }
    expect(all.find(({ id }) => id === one.id)).toEqual(product)
    expect(await catalogue().find({ id: one.id })).toEqual(product)
  })

  it('lists departments and their categories', async () => {
    const { items } = await catalogue().categories({})
    expect(items.length).toBe(departments.length + categories.length)
    expect(items.filter((category) => category.parent === null).map((category) => category.id)).toEqual(
      departments.map((department) => department.id),
    )
  })

  it('goes on loading where it was, together with whoever else loads', async () => {
    const store = services.store<CatalogueTables>('catalogue')
    const said: string[] = []
    const args = {
      store,
      progress: (message: string) => said.push(message),
      signal: new AbortController().signal,
      log: { info() {}, warn() {}, error() {} },
      now: () => Date.now(),
      newId: () => '',
    }
    const more = 12_000
    await Promise.all([loadProducts(args, more), loadProducts(args, more), loadProducts(args, more)])
    const { total } = await store.db
      .selectFrom('products')
      .select((eb) => eb.fn.countAll<string>().as('total'))
      .executeTakeFirstOrThrow()
    expect(Number(total)).toBe(more)
    expect(said).toContain('12,000 of 12,000 products')
    said.length = 0
    await loadProducts(args, more)
    expect(said).toEqual([])
    const extra = Array.from({ length: more - count }, (_, i) => productAt(count + i).id)
    await store.transaction(async ({ db }) => {
      await db.deleteFrom('prices').where('product_id', 'in', extra).execute()
      await db.deleteFrom('products').where('id', 'in', extra).execute()
    })
  })
})

describe('a search', () => {
  it('finds words in any form, the best match first', async () => {
    const { items } = await catalogue().list({ query: 'lamps' })
    expect(items.length).toBeGreaterThan(3)
    expect(items[0]?.name).toMatch(/lamp/)
    const both = await catalogue().list({ query: 'oak lamp', limit: 100 })
    for (const { name, description } of both.items) expect(`${name} ${description}`).toMatch(/oak/)
    expect((await catalogue().list({ query: 'lamp -oak', limit: 100 })).items.length).toBeLessThan(
      (await catalogue().list({ query: 'lamp', limit: 100 })).items.length,
    )
  })

  it.each([
    'zebra',
    'the',
    '!!! & | ( "',
    "'; drop table products; --",
    '\\',
    '<->:*',
    '-'.repeat(200),
    '- '.repeat(100),
  ])('finds nothing and breaks nothing with %s', async (query) => {
    expect(await catalogue().list({ query })).toEqual({ items: [], next: null })
  })

  it('keeps to a category, or to all categories of a department', async () => {
    const lighting = await everyPage({ category: 'home-lighting', limit: 100 })
    expect(lighting.flat().length).toBe(count / 40)
    const home = (await everyPage({ category: 'home', limit: 7 })).flat()
    expect(home.length).toBe(count / 8)
    expect(new Set(home.map((product) => product.category)).size).toBe(5)
    expect((await catalogue().list({ category: 'nowhere' })).items).toEqual([])
  })

  it.each<List>([
    {},
    { category: 'garden' },
    { query: 'made' },
    { query: 'steel or oak', category: 'kitchen' },
    { query: 'warranty' },
  ])('gives the same list in pages of any size: %j', async (search) => {
    const whole = (await everyPage({ ...search, limit: 100 })).flat()
    expect(whole.length).toBeGreaterThan(5)
    expect(new Set(whole.map((product) => product.id)).size).toBe(whole.length)
    const pages = await everyPage({ ...search, limit: 13 })
    expect(pages.flat()).toEqual(whole)
    expect(pages.slice(0, -1).every((page) => page.length === 13)).toBe(true)
  })

  it('refuses a cursor that is not its own', async () => {
    const { next } = await catalogue().list({ query: 'made', limit: 2 })
    const cursor = next as string
    expect(await catalogue().list.try({ query: 'made', cursor, limit: 50 })).toMatchObject({ ok: true })
    for (const search of [{ cursor }, { query: 'oak', cursor }, { query: 'made', category: 'home', cursor }]) {
      expect(await catalogue().list.try(search)).toMatchObject({ error: { code: 'cursor_invalid', status: 400 } })
    }
    for (const broken of ['x', cursor.slice(1), `${cursor}A`, Buffer.from('["a",[1,2]]').toString('base64url')]) {
      expect(await catalogue().list.try({ query: 'made', cursor: broken })).toMatchObject({
        error: { code: 'cursor_invalid' },
      })
    }
  })

  it.each([
    [1e308, 'refuses'],
    [-1, 'refuses'],
    [1e-300, 'lives with'],
    [1e-45, 'lives with'],
  ])('of a cursor with the forged rank %s: %s it', async (rank, verdict) => {
    const { next } = await catalogue().list({ query: 'made', limit: 2 })
    const [print, [, id]] = JSON.parse(Buffer.from(next as string, 'base64url').toString()) as [
      string,
      [number, string],
    ]
    const cursor = Buffer.from(JSON.stringify([print, [rank, id]])).toString('base64url')
    const { ok } = await catalogue().list.try({ query: 'made', cursor })
    expect(ok).toBe(verdict === 'lives with')
  })
})

describe('a price', () => {
  it('changes by a new version; the old ones stay', async () => {
    const { id, priceAmount } = productAt(7)
    const changed = await catalogue().changePrice({ id, amount: priceAmount + 100 })
    expect(changed).toMatchObject({ price: { amount: priceAmount + 100, currency: 'EUR' }, priceVersion: 2 })
    expect(await catalogue().find({ id })).toEqual(changed)
    const first = await catalogue().prices({ id, limit: 1 })
    const second = await catalogue().prices({ id, limit: 1, cursor: first.next as string })
    expect([...first.items, ...second.items].map(({ version, price }) => [version, price.amount])).toEqual([
      [2, priceAmount + 100],
      [1, priceAmount],
    ])
    expect(second.next).toBeNull()
  })

  it('has no new version when it is what it was', async () => {
    const { id, priceAmount } = productAt(8)
    expect((await catalogue().changePrice({ id, amount: priceAmount })).priceVersion).toBe(1)
  })

  it('is not overwritten by somebody who saw an older one', async () => {
    const { id } = productAt(9)
    const tries = await Promise.all(
      [501, 502, 503, 504].map((amount) => catalogue().changePrice.try({ id, amount, expectedVersion: 1 })),
    )
    expect(tries.filter((each) => each.ok).length).toBe(1)
    const refusals = tries.flatMap((each) => (each.ok ? [] : [each.error]))
    expect(refusals.map(({ code, details }) => ({ code, details }))).toEqual(
      [1, 2, 3].map(() => ({ code: 'price_changed', details: { version: 2 } })),
    )
  })

  it('is changed by those who may, and only of a product that there is', async () => {
    const { id } = productAt(10)
    const shopper = services.as({ kind: 'user', id: 'x', scopes: ['orders:write'] }).catalogue
    expect(await shopper.changePrice.try({ id, amount: 1 })).toMatchObject({ error: { code: 'forbidden' } })
    const unknown = '00000000-0000-7000-8000-000000000000'
    expect(await catalogue().changePrice.try({ id: unknown, amount: 1 })).toMatchObject({
      error: { code: 'product_not_found' },
    })
    expect(await catalogue().prices.try({ id: unknown })).toMatchObject({ error: { code: 'product_not_found' } })
    expect(await catalogue().find.try({ id: unknown })).toMatchObject({ error: { code: 'product_not_found' } })
  })
})

describe('products by stock keeping unit', () => {
  it('are those that there are', async () => {
    const [a, b] = [productAt(1), productAt(2)]
    const { items } = await catalogue().bySku({ skus: [a.sku, 'ZZZ-999999', b.sku, a.sku] })
    expect(items.map((item) => item.sku).toSorted()).toEqual([a.sku, b.sku].toSorted())
    expect(await catalogue().bySku({ skus: [] })).toEqual({ items: [] })
  })
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { productAt, skuAt } from '../seed/product-at.ts'
import { type Services, startServices, user } from '../testing/services.ts'
import { clearLines } from './cart-rows.ts'
import { linesMax } from './contract.ts'
import type { CartsTables } from './tables.ts'

let services: Services

beforeAll(async () => {
  services = await startServices(['catalogue', 'carts'], 200)
})
afterAll(() => services[Symbol.asyncDispose]())

const cartOf = (id: string) => services.as(user(id)).carts
const others = () => services.as({ kind: 'service', id: 'orders', scopes: [] }).carts

describe('a cart', () => {
  it('shows its lines in the order in which they came, at the prices of now', async () => {
    const [shopper, a, b] = [randomUUID(), productAt(3), productAt(1)]
    await cartOf(shopper).setItem({ sku: a.sku, quantity: 2 })
    const cart = await cartOf(shopper).setItem({ sku: b.sku, quantity: 3 })
    expect(cart.lines.map(({ sku, name, quantity, total }) => [sku, name, quantity, total.amount])).toEqual([
      [a.sku, a.name, 2, 2 * a.priceAmount],
      [b.sku, b.name, 3, 3 * b.priceAmount],
    ])
    expect(cart.total).toEqual({ amount: 2 * a.priceAmount + 3 * b.priceAmount, currency: 'EUR' })
    expect(await cartOf(shopper).mine({})).toEqual(cart)
    await services.as('x').catalogue.changePrice.try({ id: b.id, amount: 1 })
    await services.as({ kind: 'operator', id: 'olga', scopes: [] }).catalogue.changePrice({ id: b.id, amount: 7 })
    expect((await cartOf(shopper).mine({})).total.amount).toBe(2 * a.priceAmount + 21)
  })

  it('has the quantity that was set last', async () => {
    const shopper = randomUUID()
    await cartOf(shopper).setItem({ sku: skuAt(5), quantity: 2 })
    const { lines } = await cartOf(shopper).setItem({ sku: skuAt(5), quantity: 9 })
    expect(lines.map((line) => line.quantity)).toEqual([9])
  })

  it('is empty before anything is put into it, and when all is taken out', async () => {
    const shopper = randomUUID()
    const empty = { lines: [], total: { amount: 0, currency: 'EUR' } }
    expect(await cartOf(shopper).mine({})).toEqual(empty)
    expect(await cartOf(shopper).removeItem({ sku: skuAt(5) })).toEqual(empty)
    await cartOf(shopper).setItem({ sku: skuAt(5), quantity: 2 })
    expect(await cartOf(shopper).removeItem({ sku: skuAt(5) })).toEqual(empty)
  })

  it.each([0, 100, -1, 1.5])('refuses a quantity of %d', async (quantity) => {
    const refused = await cartOf(randomUUID()).setItem.try({ sku: skuAt(5), quantity })
    expect(refused).toMatchObject({ error: { code: 'invalid_input' } })
  })

  it('refuses what the store does not sell', async () => {
    const refused = await cartOf(randomUUID()).setItem.try({ sku: 'ZZZ-999999', quantity: 1 })
    expect(refused).toMatchObject({ error: { code: 'sku_unknown', status: 404, details: { sku: 'ZZZ-999999' } } })
  })

  it('has a bound, also for many changes at once, and what is in it can still be changed', async () => {
    const shopper = randomUUID()
    for (let i = 0; i < linesMax - 2; i++) await cartOf(shopper).setItem({ sku: skuAt(i), quantity: 1 })
    const more = [100, 101, 102, 103, 104].map((i) => cartOf(shopper).setItem.try({ sku: skuAt(i), quantity: 1 }))
    const codes = (await Promise.all(more)).flatMap((each) => (each.ok ? [] : [each.error.code]))
    expect(codes).toEqual(['cart_full', 'cart_full', 'cart_full'])
    const { lines } = await cartOf(shopper).setItem({ sku: skuAt(0), quantity: 5 })
    expect(lines.length).toBe(linesMax)
  })

  it('belongs to a user: an operator has none', async () => {
    const operator = services.as({ kind: 'operator', id: 'olga', scopes: [] }).carts
    expect(await operator.mine.try({})).toMatchObject({ error: { code: 'not_a_shopper', status: 403 } })
  })
})

/** What carts does when it hears of an order. */
const ordered = (userId: string, version: number) =>
  services.store<CartsTables>('carts').transaction(({ db }) => clearLines(db, userId, version))

describe('what was ordered', () => {
  it('counts no more for who knows that, before the cart does', async () => {
    const userId = randomUUID()
    await cartOf(userId).setItem({ sku: skuAt(1), quantity: 1 })
    await cartOf(userId).setItem({ sku: skuAt(2), quantity: 1 })
    const { version } = await others().read({ userId })
    expect(await others().read({ userId, after: version })).toEqual({ version, lines: [] })
    await cartOf(userId).setItem({ sku: skuAt(1), quantity: 3 })
    expect((await others().read({ userId, after: version })).lines).toEqual([{ sku: skuAt(1), quantity: 3 }])
  })

  it('is taken out, and what came or changed since stays', async () => {
    const userId = randomUUID()
    await cartOf(userId).setItem({ sku: skuAt(1), quantity: 1 })
    await cartOf(userId).setItem({ sku: skuAt(2), quantity: 1 })
    const { version } = await others().read({ userId })
    await cartOf(userId).setItem({ sku: skuAt(2), quantity: 5 })
    await cartOf(userId).setItem({ sku: skuAt(3), quantity: 1 })
    const left = [
      { sku: skuAt(2), quantity: 5 },
      { sku: skuAt(3), quantity: 1 },
    ]
    await ordered(userId, version)
    expect((await others().read({ userId })).lines).toEqual(left)
    await ordered(userId, version)
    expect((await others().read({ userId })).lines).toEqual(left)
  })

  it('never takes out a line that was put in again later', async () => {
    const userId = randomUUID()
    await cartOf(userId).setItem({ sku: skuAt(1), quantity: 1 })
    const { version } = await others().read({ userId })
    await ordered(userId, version)
    await cartOf(userId).setItem({ sku: skuAt(1), quantity: 1 })
    await ordered(userId, version)
    expect((await others().read({ userId })).lines).toEqual([{ sku: skuAt(1), quantity: 1 }])
  })

  it('does nothing to a cart that never was', async () => {
    const userId = randomUUID()
    await ordered(userId, 0)
    expect(await others().read({ userId })).toEqual({ version: 0, lines: [] })
  })
})

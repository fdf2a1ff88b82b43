import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { holdMs } from '../inventory/reservations.ts'
import { productAt, skuAt } from '../seed/product-at.ts'
import { stockAt } from '../seed/stock-at.ts'
import { type SentCall, type Services, startServices, user } from '../testing/services.ts'

let services: Services

beforeAll(async () => {
  services = await startServices(['catalogue', 'carts', 'inventory', 'orders', 'payments', 'shipping'], 400)
})
afterAll(() => services[Symbol.asyncDispose]())
afterEach(() => {
  services.watch(undefined)
  services.hold(undefined)
})

const operator = () => services.as({ kind: 'operator', id: 'olga', scopes: [] })
const place = (shopper: string, key: string) => services.as(user(shopper)).orders.place.try({}, { key })
let nextProduct = 0

/** A product of its own for a test, with ten pieces or more. */
function product(): string {
  while (stockAt(nextProduct) < 10) nextProduct++
  return skuAt(nextProduct++)
}

/** Somebody with `quantity` of each product in the cart. */
async function shopperWith(quantity: number, ...skus: string[]): Promise<string> {
  const shopper = randomUUID()
  for (const sku of skus) await services.as(user(shopper)).carts.setItem({ sku, quantity })
  return shopper
}

async function placed(shopper: string, key: string = randomUUID()) {
  return await services.as(user(shopper)).orders.place({}, { key })
}

const reserved = async (sku: string) => (await operator().inventory.level({ sku })).reserved
const cartOf = async (shopper: string) =>
  (await services.as(user(shopper)).carts.mine({})).lines.map((line) => line.sku)
const ordersOf = async (shopper: string) => (await services.as(user(shopper)).orders.list({})).items

describe('an order', () => {
  it('has the prices of its moment, holds its stock and empties the cart', async () => {
    const [a, b] = [product(), product()]
    const shopper = await shopperWith(2, a, b)
    const order = await placed(shopper)
    expect(order).toMatchObject({ status: 'pending', approveUrl: null, closed: null })
    expect(order.lines.map((line) => [line.sku, line.quantity])).toEqual([
      [a, 2],
      [b, 2],
    ])
    expect(order.total.amount).toBe(order.lines.reduce((total, line) => total + line.total.amount, 0))
    expect([await reserved(a), await reserved(b)]).toEqual([2, 2])
    await services.settled()
    expect(await cartOf(shopper)).toEqual([])
    const first = order.lines[0]
    const { id } = productAt(Number(a.slice(4)))
    await operator().catalogue.changePrice({ id, amount: 4_242_42 })
    expect((await services.as(user(shopper)).orders.find({ id: order.id })).lines[0]).toEqual(first)
  })

  it('is nothing when one line is short, and says which', async () => {
    const [a, b] = [product(), product()]
    const { onHand } = await operator().inventory.level({ sku: b })
    await operator().inventory.reserve({ orderId: randomUUID(), lines: [{ sku: b, quantity: onHand - 1 }] })
    const shopper = await shopperWith(2, a, b)
    const refused = await place(shopper, randomUUID())
    expect(refused).toMatchObject({
      error: { code: 'out_of_stock', status: 409, details: { sku: b, available: 1 } },
    })
    expect(await reserved(a)).toBe(0)
    expect(await cartOf(shopper)).toEqual([a, b])
    expect(await ordersOf(shopper)).toEqual([])
  })

  it('is refused for an empty cart, for callers without a cart and without a key', async () => {
    expect(await place(randomUUID(), 'k')).toMatchObject({ error: { code: 'cart_empty', status: 409 } })
    expect(await operator().orders.place.try({}, { key: 'k' })).toMatchObject({ error: { code: 'not_a_shopper' } })
    expect(await place(randomUUID(), '')).toMatchObject({ error: { code: 'invalid_input' } })
  })

  it('is seen by its owner only, and by an operator', async () => {
    const [ada, eve] = [await shopperWith(1, product()), randomUUID()]
    const { id } = await placed(ada)
    const hers = services.as(user(eve)).orders
    expect(await hers.find.try({ id })).toMatchObject({ error: { code: 'order_not_found', status: 404 } })
    expect(await hers.cancel.try({ id })).toMatchObject({ error: { code: 'order_not_found' } })
    expect((await hers.list({})).items).toEqual([])
    const order = await services.as(user(ada)).orders.find({ id })
    expect(order.status).toBe('pending')
    expect(await operator().orders.find({ id })).toMatchObject({ id, total: order.total })
    const service = services.as({ kind: 'service', id: 'x', scopes: ['orders:read'] }).orders
    expect(await service.find.try({ id })).toMatchObject({ error: { code: 'order_not_found' } })
  })

  it('stands in a list, newest first, that is the same in pages of any size', async () => {
    const shopper = randomUUID()
    const ids: string[] = []
    const sku = product()
    for (let i = 0; i < 7; i++) {
      await services.as(user(shopper)).carts.setItem({ sku, quantity: 1 })
      ids.unshift((await placed(shopper)).id)
    }
    const { list } = services.as(user(shopper)).orders
    expect((await list({ limit: 100 })).items.map((order) => order.id)).toEqual(ids)
    const pages: string[] = []
    for (let cursor: string | null = '', first = true; cursor !== null; first = false) {
      const page: Awaited<ReturnType<typeof list>> = await list({ limit: 3, ...(first ? {} : { cursor }) })
      pages.push(...page.items.map((order) => order.id))
      cursor = page.next
    }
    expect(pages).toEqual(ids)
    const { next } = await list({ limit: 3 })
    const stolen = await services.as(user(randomUUID())).orders.list.try({ cursor: next as string })
    expect(stolen).toMatchObject({ error: { code: 'cursor_invalid', status: 400 } })
  })
})

describe('a key', () => {
  it('has one reply, whatever becomes of the order and of the cart', async () => {
    const sku = product()
    const shopper = await shopperWith(1, sku)
    const first = await placed(shopper, 'one')
    await services.as(user(shopper)).carts.setItem({ sku, quantity: 3 })
    await services.as(user(shopper)).orders.cancel({ id: first.id })
    await services.settled()
    expect(await placed(shopper, 'one')).toEqual(first)
    expect(await cartOf(shopper)).toEqual([sku])
    expect((await placed(shopper, 'two')).lines).toMatchObject([{ sku, quantity: 3 }])
  })

  it('keeps a refusal too', async () => {
    const shopper = randomUUID()
    expect(await place(shopper, 'one')).toMatchObject({ error: { code: 'cart_empty' } })
    await services.as(user(shopper)).carts.setItem({ sku: product(), quantity: 1 })
    expect(await place(shopper, 'one')).toMatchObject({ error: { code: 'cart_empty' } })
    expect(await place(shopper, 'two')).toMatchObject({ ok: true })
  })

  it('is its caller’s own', async () => {
    const sku = product()
    const [ada, eve] = [await shopperWith(1, sku), await shopperWith(1, sku)]
    expect((await placed(ada, 'same')).id).not.toBe((await placed(eve, 'same')).id)
  })

  it('makes one order when it comes many times at once', async () => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    const tries = await Promise.all(Array.from({ length: 12 }, () => place(shopper, 'race')))
    const ids = new Set(tries.map((each) => (each.ok ? each.value.id : each.error.code)))
    expect(ids.size).toBe(1)
    expect((await ordersOf(shopper)).map((order) => order.id)).toEqual([...ids])
    expect(await reserved(sku)).toBe(3)
  })

  it('of another order does not order the same cart twice', async () => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    const tries = await Promise.all(Array.from({ length: 12 }, () => place(shopper, randomUUID())))
    expect(tries.filter((each) => each.ok).length).toBe(1)
    const refusals = new Set(tries.flatMap((each) => (each.ok ? [] : [each.error.code])))
    expect([...refusals]).toEqual(['cart_empty'])
    expect((await ordersOf(shopper)).length).toBe(1)
    expect(await reserved(sku)).toBe(3)
  })

  it('orders what came into the cart since the last order, although the cart has not heard of that one', async () => {
    const [a, b] = [product(), product()]
    const shopper = await shopperWith(1, a)
    await placed(shopper)
    await services.as(user(shopper)).carts.setItem({ sku: b, quantity: 2 })
    expect((await placed(shopper)).lines.map((line) => line.sku)).toEqual([b])
  })
})

function crash(): void {
  throw new Error('the process died')
}

const before = (operation: string) => services.watch((call) => (nameOf(call) === operation ? crash() : undefined))
const after = (operation: string) => services.watch((call) => (nameOf(call) === operation ? crash : undefined))

/** Holds the reply to the next call of an operation back until it may go on. */
function holdOnce(operation: string): { readonly reached: Promise<void>; readonly goOn: () => void } {
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  services.hold((call) => {
    if (nameOf(call) !== operation) return undefined
    services.hold(undefined)
    reached.resolve()
    return goOn.promise
  })
  return { reached: reached.promise, goOn: goOn.resolve }
}

describe('a failure in the middle of placing', () => {
  const places = [
    ['before the cart was read', () => before('carts.read')],
    ['before the prices were read', () => before('catalogue.bySku')],
    ['before the stock was reserved', () => before('inventory.reserve')],
    ['after the stock was reserved', () => after('inventory.reserve')],
  ] as const

  it.each(places)('%s: the same key makes the one order', async (_, fail) => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    fail()
    expect(await place(shopper, 'k')).toMatchObject({ ok: false })
    services.watch(undefined)
    const order = await placed(shopper, 'k')
    expect((await ordersOf(shopper)).map(({ id }) => id)).toEqual([order.id])
    expect(await reserved(sku)).toBe(3)
  })

  it.each(places)('%s: nobody asks again, and no stock stays reserved for nothing', async (_, fail) => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    fail()
    await place(shopper, 'k')
    services.watch(undefined)
    services.pass(holdMs + 1)
    for (let left = 1; left > 0; left = await reserved(sku)) await services.runJob('inventory', 'release-expired')
    expect(await ordersOf(shopper)).toEqual([])
    expect(await cartOf(shopper)).toEqual([sku])
    expect(await place(shopper, 'k')).toMatchObject({ ok: true })
    expect(await reserved(sku)).toBe(3)
  })

  it('after which the cart was changed: what is ordered then is what is reserved', async () => {
    const [a, b] = [product(), product()]
    const shopper = await shopperWith(3, a)
    after('inventory.reserve')
    await place(shopper, 'k')
    services.watch(undefined)
    await services.as(user(shopper)).carts.setItem({ sku: a, quantity: 1 })
    await services.as(user(shopper)).carts.setItem({ sku: b, quantity: 2 })
    const { id, lines } = await placed(shopper, 'k')
    expect(lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      [a, 1],
      [b, 2],
    ])
    await operator().inventory.hold({ orderId: id })
    services.pass(holdMs + 1)
    while ((await reserved(a)) > 1) await services.runJob('inventory', 'release-expired')
    expect([await reserved(a), await reserved(b)]).toEqual([1, 2])
  })

  it('that goes on when the next try has placed the order takes nothing of it back', async () => {
    const sku = product()
    const shopper = await shopperWith(2, sku)
    const { reached, goOn } = holdOnce('inventory.reserve')
    const slow = place(shopper, 'k')
    await reached
    services.pass(10 * 60_000)
    const { id } = await placed(shopper, 'k')
    goOn()
    await slow
    expect((await ordersOf(shopper)).map((order) => order.id)).toEqual([id])
    expect(await reserved(sku)).toBe(2)
  })

  it('does not keep the next order of the customer waiting', async () => {
    const shopper = await shopperWith(1, product())
    const { reached, goOn } = holdOnce('inventory.reserve')
    const slow = place(shopper, 'one')
    await reached
    const { id } = await placed(shopper, 'two')
    goOn()
    expect(await slow).toMatchObject({ error: { code: 'cart_empty' } })
    expect((await ordersOf(shopper)).map((order) => order.id)).toEqual([id])
  })
})

function nameOf({ contract, operation }: SentCall): string {
  return `${contract.split('@')[0]}.${operation}`
}

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { holdMs } from '../inventory/reservations.ts'
import { productAt, skuAt } from '../seed/product-at.ts'
import { stockAt } from '../seed/stock-at.ts'
import { type SentCall, type Services, startServices, user } from '../testing/services.ts'
import { keyKeptMs, leaseMs } from './placement.ts'

let services: Services

beforeAll(async () => {
  services = await startServices(['catalogue', 'carts', 'inventory', 'orders'], 400)
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
    expect(order).toMatchObject({ status: 'pending', cancelled: null })
    expect(order.lines.map((line) => [line.sku, line.quantity])).toEqual([
      [a, 2],
      [b, 2],
    ])
    expect(order.total.amount).toBe(order.lines.reduce((total, line) => total + line.total.amount, 0))
    expect(Date.parse(order.expiresAt) - Date.parse(order.placedAt)).toBeLessThanOrEqual(holdMs)
    expect([await reserved(a), await reserved(b)]).toEqual([2, 2])
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
    expect(await operator().orders.find({ id })).toEqual(order)
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
    expect(await placed(shopper, 'one')).toEqual(first)
    expect(await cartOf(shopper)).toEqual([sku])
    expect((await placed(shopper, 'two')).id).not.toBe(first.id)
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

  it('is forgotten after a day', async () => {
    const shopper = randomUUID()
    expect(await place(shopper, 'old')).toMatchObject({ error: { code: 'cart_empty' } })
    await services.as(user(shopper)).carts.setItem({ sku: product(), quantity: 1 })
    services.pass(keyKeptMs + 1)
    await services.runJob('orders', 'forget-old-keys')
    expect(await place(shopper, 'old')).toMatchObject({ ok: true })
  })
})

describe('cancelling', () => {
  it('frees the stock once, however often and however much at once it is asked for', async () => {
    const sku = product()
    const shopper = await shopperWith(4, sku)
    const { id } = await placed(shopper)
    const replies = await Promise.all(Array.from({ length: 6 }, () => services.as(user(shopper)).orders.cancel({ id })))
    expect(new Set(replies.map((order) => order.cancelled?.at)).size).toBe(1)
    expect(replies[0]).toMatchObject({ status: 'cancelled', cancelled: { reason: 'customer' } })
    expect(await reserved(sku)).toBe(0)
  })

  it('gives the pieces of a confirmed order back', async () => {
    const sku = product()
    const shopper = await shopperWith(4, sku)
    const { onHand } = await operator().inventory.level({ sku })
    const { id } = await placed(shopper)
    expect((await operator().orders.confirm({ id })).status).toBe('confirmed')
    expect((await operator().orders.confirm({ id })).status).toBe('confirmed')
    expect(await operator().inventory.level({ sku })).toMatchObject({ onHand: onHand - 4, reserved: 0, sold: 4 })
    await services.as(user(shopper)).orders.cancel({ id })
    expect(await operator().inventory.level({ sku })).toMatchObject({ onHand, reserved: 0, sold: 0 })
    expect(await operator().orders.confirm.try({ id })).toMatchObject({ error: { code: 'order_closed' } })
  })

  it('and confirming at once leave one of the two, and the stock to match', async () => {
    const sku = product()
    const { onHand } = await operator().inventory.level({ sku })
    let sold = 0
    for (let round = 0; round < 5; round++) {
      const shopper = await shopperWith(1, sku)
      const { id } = await placed(shopper)
      await Promise.all([operator().orders.confirm.try({ id }), services.as(user(shopper)).orders.cancel({ id })])
      const { status } = await services.as(user(shopper)).orders.find({ id })
      if (status === 'confirmed') sold++
    }
    expect(await operator().inventory.level({ sku })).toMatchObject({ onHand: onHand - sold, reserved: 0, sold })
  })

  it('happens by itself when the time to pay has passed', async () => {
    const sku = product()
    const shopper = await shopperWith(4, sku)
    const { id } = await placed(shopper)
    services.pass(holdMs - 60_000)
    await services.runJob('orders', 'expire-orders')
    expect((await services.as(user(shopper)).orders.find({ id })).status).toBe('pending')
    services.pass(61_000)
    await services.runJob('orders', 'expire-orders')
    const order = await services.as(user(shopper)).orders.find({ id })
    expect(order).toMatchObject({ status: 'cancelled', cancelled: { reason: 'expired' } })
    expect(await reserved(sku)).toBe(0)
    expect(await operator().orders.confirm.try({ id })).toMatchObject({ error: { code: 'order_closed' } })
  })
})

function crash(): void {
  throw new Error('the process died')
}

const before = (operation: string) => services.watch((call) => (nameOf(call) === operation ? crash() : undefined))
const after = (operation: string) => services.watch((call) => (nameOf(call) === operation ? crash : undefined))

describe('a failure in the middle', () => {
  const places = [
    ['before the cart was read', () => before('carts.read')],
    ['before the prices were read', () => before('catalogue.bySku')],
    ['before the stock was held', () => before('inventory.reserve')],
    ['after the stock was held', () => after('inventory.reserve')],
    ['before the cart was cleared', () => before('carts.clear')],
    ['after the cart was cleared', () => after('carts.clear')],
  ] as const

  it.each(places)('%s: the same key makes the one order', async (_, fail) => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    fail()
    await place(shopper, 'k')
    services.watch(undefined)
    services.pass(leaseMs)
    const order = await placed(shopper, 'k')
    expect((await ordersOf(shopper)).map(({ id }) => id)).toEqual([order.id])
    expect(await reserved(sku)).toBe(3)
    expect(await cartOf(shopper)).toEqual([])
  })

  it.each(places)('%s: nobody asks again, and no stock stays held for nothing', async (_, fail) => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    fail()
    await place(shopper, 'k')
    services.watch(undefined)
    services.pass(leaseMs)
    await services.runJob('orders', 'tidy-placements')
    const orders = await ordersOf(shopper)
    expect(await reserved(sku)).toBe(3 * orders.length)
    expect(await cartOf(shopper)).toEqual(orders.length === 1 ? [] : [sku])
    expect(await place(shopper, 'k')).toMatchObject({ ok: true })
    expect((await ordersOf(shopper)).length).toBe(1)
    expect(await reserved(sku)).toBe(3)
  })

  it.each([
    ['has ended', true],
    ['is still at it', false],
  ])('does not let a slow first worker write after a second one took over and %s', async (_, secondEnds) => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    const [firstGoesOn, secondGoesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const seconds: ReturnType<typeof place>[] = []
    let reserves = 0
    // While the first holds the stock, its lease runs out, and the same key comes again.
    services.hold((call) => {
      if (nameOf(call) !== 'inventory.reserve') return undefined
      reserves++
      if (reserves > 1) {
        if (!secondEnds) firstGoesOn.resolve()
        return secondEnds ? undefined : secondGoesOn.promise
      }
      services.pass(leaseMs)
      const second = place(shopper, 'k')
      seconds.push(second)
      if (secondEnds) void second.finally(() => firstGoesOn.resolve())
      return firstGoesOn.promise
    })
    services.watch((call) => {
      // The first has found out that it is too late, and gives back what it held.
      if (nameOf(call) === 'inventory.release' && reserves === 2) return () => secondGoesOn.resolve()
      return undefined
    })
    const first = await place(shopper, 'k')
    expect(first).toMatchObject({ ok: true })
    expect(await Promise.all(seconds)).toEqual([first])
    expect((await ordersOf(shopper)).length).toBe(1)
    expect(await reserved(sku)).toBe(3)
  })

  it('refuses the next order of the customer while nobody knows what became of the last', async () => {
    const shopper = await shopperWith(1, product())
    const [reached, never] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    services.hold((call) => {
      if (nameOf(call) !== 'carts.read') return undefined
      reached.resolve()
      return never.promise
    })
    const stuck = place(shopper, 'one')
    await reached.promise
    expect(await place(shopper, 'two')).toMatchObject({ error: { code: 'order_in_progress', status: 409 } })
    services.hold(undefined)
    never.resolve()
    expect(await stuck).toMatchObject({ ok: true })
  })

  it('after an order was cancelled still frees its stock', async () => {
    const sku = product()
    const shopper = await shopperWith(3, sku)
    const { id } = await placed(shopper)
    before('inventory.release')
    expect((await services.as(user(shopper)).orders.cancel({ id })).status).toBe('cancelled')
    expect(await reserved(sku)).toBe(3)
    services.watch(undefined)
    await services.runJob('orders', 'expire-orders')
    expect(await reserved(sku)).toBe(0)
  })
})

function nameOf({ contract, operation }: SentCall): string {
  return `${contract.split('@')[0]}.${operation}`
}

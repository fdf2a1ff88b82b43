import { randomUUID } from 'node:crypto'
import type { Caller } from 'trestle/service'
import { type AskJson, jsonClient, runners, type TestSystem } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { attemptsMax } from './accounts/login-throttle.ts'
import { carts } from './carts/contract.ts'
import { inventory } from './inventory/contract.ts'
import { orders } from './orders/contract.ts'
import { payments as paymentsOfStore } from './payments/contract.ts'
import { productAt, skuAt } from './seed/product-at.ts'
import { stockAt } from './seed/stock-at.ts'
import { paymentSystemAt } from './testing/buyer.ts'
import { known } from './testing/known.ts'

process.env.STORE_PRODUCTS = '500'
process.env.STORE_PASSWORD_BLOCKS = '1024'
process.env.WALLETS_PASSWORD_BLOCKS = '1024'
process.env.PAYMENTS_SWITCHES = 'on'

const password = 'correct horse battery'
/** What follows an order takes its time: events, a saga, another system. */
const eventually = { timeout: 60_000, interval: 50 }

const askAgainMax = 5

/** A part that may be left out is left out when it is late: on a busy machine it is asked for again. */
// oxlint-disable-next-line typescript/no-explicit-any -- replies are read as an outside client does: untyped JSON
async function inTime<T extends { readonly body: any }>(ask: () => Promise<T>): Promise<T> {
  for (let times = 0; ; times += 1) {
    const answer = await ask()
    const parts: readonly { problem: { code: string } }[] = answer.body.partial ?? []
    if (times === askAgainMax || !parts.some(({ problem }) => problem.code === 'deadline_exceeded')) return answer
  }
}

describe.each(runners)('the store on %s', (runner) => {
  let store: TestSystem
  let client: AskJson
  beforeAll(async () => {
    store = await runner.start(new URL('./system.ts', import.meta.url))
    client = jsonClient(store.url)
    // What becomes of payments is told from now on, not from the first time that the job is due: the store would ask after 15 s.
    const job = { contract: 'payments.operated@1', operation: 'runJob', input: { name: 'register-webhook' } }
    const due = await store.operator.call(job)
    if (!due.ok) throw new Error(due.problem.title)
  })
  afterAll(() => store?.stop())

  interface Ask {
    readonly body?: unknown
    readonly token?: string
    readonly key?: string
  }

  async function ask(method: string, path: string, { key, ...question }: Ask = {}) {
    const headers = key === undefined ? {} : { 'idempotency-key': key }
    const { status, body } = await client(method, path, { ...question, headers })
    return { status, body }
  }

  async function signedIn(email = `${randomUUID()}@example.org`): Promise<string> {
    await ask('POST', '/users', { body: { email, password, name: 'Ada' } })
    return (await ask('POST', '/sessions', { body: { email, password } })).body.token
  }

  it('shows the first page in one reply, with the cart of whoever is signed in', async () => {
    const token = await signedIn()
    const sku = skuAt(7)
    const cart = await ask('PUT', `/cart/items/${sku}`, { body: { quantity: 3 }, token })
    const home = await inTime(() => ask('GET', '/home', { token }))
    const products = await ask('GET', '/products?limit=12')
    const suggestions = await ask('GET', '/recommendations', { token })
    expect(home).toEqual({
      status: 200,
      body: { products: products.body, cart: cart.body, suggestions: suggestions.body },
    })
    expect(home.body.products.items).toHaveLength(12)

    const stranger = await inTime(() => ask('GET', '/home?category=kitchen'))
    expect(stranger).toMatchObject({
      status: 200,
      body: { cart: null, partial: [{ part: 'cart', problem: { code: 'unauthenticated', status: 401 } }] },
    })
    const kitchen = await ask('GET', '/products?limit=12&category=kitchen')
    expect(stranger.body.products).toEqual(kitchen.body)
    expect(await ask('GET', '/home?category=NONE')).toMatchObject({ status: 400, body: { code: 'invalid_input' } })
  })

  it('takes a shopper from the first search to a cancelled order', async () => {
    const email = `${randomUUID()}@example.org`
    const user = await ask('POST', '/users', { body: { email, password, name: 'Ada' } })
    expect(user).toMatchObject({ status: 201, body: { email, name: 'Ada' } })
    const session = await ask('POST', '/sessions', { body: { email, password } })
    expect(session).toMatchObject({ status: 201, body: { token: expect.any(String), expiresAt: expect.any(String) } })
    const { token } = session.body
    expect(await ask('GET', '/me', { token })).toEqual({ status: 200, body: user.body })

    const found = await ask('GET', '/products?query=lamp&category=home&limit=3')
    expect(found.status).toBe(200)
    const product = found.body.items[0]
    expect(await ask('GET', `/products/${product.id}`)).toEqual({ status: 200, body: product })
    const { available } = (await ask('GET', `/stock/${product.sku}`)).body

    const cart = await ask('PUT', `/cart/items/${product.sku}`, { body: { quantity: 2 }, token })
    expect(cart.body.total.amount).toBe(2 * product.price.amount)
    expect(await ask('GET', '/cart', { token })).toEqual(cart)

    const order = await ask('POST', '/orders', { body: {}, token, key: 'first' })
    expect(order).toMatchObject({ status: 201, body: { status: 'pending', total: cart.body.total } })
    await vi.waitFor(async () => expect((await ask('GET', '/cart', { token })).body.lines).toEqual([]), eventually)
    expect((await ask('GET', `/stock/${product.sku}`)).body.available).toBe(available - 2)
    const { id, lines, total } = order.body
    const asked = await ask('GET', `/orders/${id}`, { token })
    expect(asked).toMatchObject({ status: 200, body: { id, lines, total, status: 'pending' } })
    expect((await ask('GET', '/orders', { token })).body).toMatchObject({ items: [{ id }], next: null })

    const wish = await ask('POST', `/orders/${id}/cancel`, { body: {}, token })
    expect(wish).toMatchObject({ status: 200, body: { cancelRequestedAt: expect.any(String) } })
    await vi.waitFor(
      async () =>
        expect((await ask('GET', `/orders/${id}`, { token })).body).toMatchObject({
          status: 'cancelled',
          closed: { reason: 'customer' },
        }),
      eventually,
    )
    expect((await ask('GET', `/stock/${product.sku}`)).body.available).toBe(available)
    expect(await ask('POST', '/orders', { body: {}, token, key: 'first' })).toEqual(order)

    expect((await ask('DELETE', '/sessions/current', { token })).status).toBe(204)
    expect((await ask('GET', '/me', { token })).status).toBe(401)
  })

  it('refuses what it must, each with its status and code', async () => {
    const token = await signedIn()
    const product = productAt(1)
    const noOrder = '00000000-0000-7000-8000-000000000000'
    const refusals: [string, string, Ask, number, string][] = [
      ['POST', '/users', { body: { email: 'nobody', password, name: 'Ada' } }, 400, 'invalid_input'],
      ['POST', '/users', { body: { email: 'a@example.org', password: 'short', name: 'Ada' } }, 400, 'invalid_input'],
      ['POST', '/sessions', { body: { email: 'nobody@example.org', password } }, 401, 'wrong_credentials'],
      ['GET', '/me', {}, 401, 'unauthenticated'],
      ['GET', '/me', { token: 'x'.repeat(43) }, 401, 'unauthenticated'],
      ['GET', '/me', { token: 'garbage' }, 401, 'unauthenticated'],
      ['GET', '/cart', {}, 401, 'unauthenticated'],
      ['GET', '/products?limit=0', {}, 400, 'invalid_input'],
      ['GET', '/products?limit=ten', {}, 400, 'invalid_input'],
      ['GET', '/products?cursor=made-up', {}, 400, 'cursor_invalid'],
      ['GET', '/products/42', {}, 400, 'invalid_input'],
      ['GET', `/products/${noOrder}`, {}, 404, 'product_not_found'],
      ['GET', '/stock/ZZZ-999999', {}, 404, 'stock_unknown'],
      ['GET', '/nowhere', {}, 404, 'not_found'],
      ['DELETE', '/products', {}, 405, 'method_not_allowed'],
      ['PUT', `/products/${product.id}/price`, { token, body: { amount: 1 } }, 403, 'forbidden'],
      ['PUT', `/products/${product.id}/price`, { body: { amount: 1 } }, 401, 'unauthenticated'],
      ['PUT', `/cart/items/${product.sku}`, { token, body: { quantity: 0 } }, 400, 'invalid_input'],
      ['PUT', `/cart/items/${product.sku}`, { token, body: { quantity: '2' } }, 400, 'invalid_input'],
      ['PUT', '/cart/items/ZZZ-999999', { token, body: { quantity: 1 } }, 404, 'sku_unknown'],
      ['POST', '/orders', { token, body: {} }, 400, 'invalid_input'],
      ['POST', '/orders', { token, body: {}, key: 'k' }, 409, 'cart_empty'],
      ['GET', `/orders/${noOrder}`, { token }, 404, 'order_not_found'],
      ['POST', `/orders/${noOrder}/cancel`, { token, body: {} }, 404, 'order_not_found'],
      ['GET', `/shipments/${noOrder}`, { token }, 404, 'shipment_not_found'],
      ['POST', `/shipments/${noOrder}/scans`, { token, body: {} }, 403, 'forbidden'],
      ['GET', `/products/${noOrder}/recommendations`, {}, 404, 'product_not_found'],
      ['POST', '/webhooks/payments', { body: {} }, 400, 'invalid_input'],
    ]
    for (const [method, path, given, status, code] of refusals) {
      const reply = await ask(method, path, given)
      expect({ method, path, status: reply.status, code: reply.body?.code }).toEqual({ method, path, status, code })
    }
  })

  /** An order of one piece, whose payment waits to be approved. */
  async function ordered(token: string, sku: string) {
    await ask('PUT', `/cart/items/${sku}`, { body: { quantity: 1 }, token })
    const { id } = (await ask('POST', '/orders', { body: {}, token, key: randomUUID() })).body
    const read = async () => (await ask('GET', `/orders/${id}`, { token })).body
    await vi.waitFor(async () => expect((await read()).approveUrl).toEqual(expect.any(String)), eventually)
    return { id: id as string, read, approveUrl: (await read()).approveUrl as string }
  }

  it.each([
    ['in time', {}],
    [
      'late, each three times, and one before the other',
      { webhooks_late_ms: 300, webhooks_repeated: 2, webhooks_reordered_ms: 600 },
    ],
  ])('takes the money of an order that is approved, and gives it back, while webhooks come %s', async (_, how) => {
    const payments = await paymentSystem()
    await payments.misbehave(how)
    const [token, buyer] = [await signedIn(), await payments.newBuyer('5000.00')]
    const before = await payments.balanceOf(buyer)
    const order = await ordered(token, inStock(30))
    await payments.approve(buyer, order.approveUrl)
    await vi.waitFor(async () => expect(await statusOf(order)).toBe('confirmed'), eventually)
    const { total, shipmentId } = await order.read()
    const payment = store.client(paymentsOfStore)
    expect(await payment.find({ orderId: order.id })).toMatchObject({
      state: 'captured',
      captured: total,
      refunded: null,
    })
    expect(await payments.balanceOf(buyer)).not.toBe(before)
    expect(await ask('GET', `/shipments/${shipmentId}`, { token })).toMatchObject({ body: { state: 'ready' } })

    await ask('POST', `/orders/${order.id}/cancel`, { body: {}, token })
    await vi.waitFor(async () => expect(await statusOf(order)).toBe('cancelled'), eventually)
    expect(await payment.find({ orderId: order.id })).toMatchObject({ state: 'refunded', refunded: total })
    await vi.waitFor(async () => expect(await payments.balanceOf(buyer)).toBe(before), eventually)
    await payments.misbehave({})
  })

  // Most of its time is the store's own time-out, which those below need not wait for.
  it.concurrent('takes the money once when the payment system does so and does not answer', async () => {
    const payments = await paymentSystem()
    const [token, buyer] = [await signedIn(), await payments.newBuyer('5000.00')]
    const order = await ordered(token, inStock(50))
    await payments.misbehave({ time_out_captures: 1 })
    await payments.approve(buyer, order.approveUrl)
    await vi.waitFor(async () => expect(await statusOf(order)).toBe('confirmed'), eventually)
    const left = (500_000 - (await order.read()).total.amount) / 100
    expect(JSON.parse(await payments.balanceOf(buyer))).toMatchObject([
      { available: { value: left.toFixed(2) }, held: { value: '0.00' } },
    ])
    await payments.misbehave({})
  })

  it.concurrent('rejects an order whose payment is declined, and leaves nothing of it', async () => {
    const payments = await paymentSystem()
    const [token, buyer] = [await signedIn(), await payments.newBuyer('0.01')]
    const sku = inStock(40)
    const { available } = (await ask('GET', `/stock/${sku}`)).body
    const order = await ordered(token, sku)
    await payments.approve(buyer, order.approveUrl)
    await vi.waitFor(async () => expect(await statusOf(order)).toBe('rejected'), eventually)
    expect(await order.read()).toMatchObject({ closed: { reason: 'declined' }, approveUrl: null })
    expect((await ask('GET', `/stock/${sku}`)).body.available).toBe(available)
  })

  it.concurrent('opens one account when ten ask for the same address at once', async () => {
    const email = `${randomUUID()}@example.org`
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, i) => {
        const spelled = i % 2 === 0 ? email : email.toUpperCase()
        return ask('POST', '/users', { body: { email: spelled, password, name: 'Ada' } })
      }),
    )
    expect(tries.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array.from({ length: 9 }, () => 409),
    ])
  })

  it.concurrent('closes an address after too many wrong passwords, and says for how long', async () => {
    const email = `${randomUUID()}@example.org`
    await ask('POST', '/users', { body: { email, password, name: 'Ada' } })
    for (let i = 0; i < attemptsMax; i++) {
      expect((await ask('POST', '/sessions', { body: { email, password: 'wrong horse' } })).status).toBe(401)
    }
    const closed = await store.fetch('/sessions', { method: 'POST', body: { email, password } })
    expect(closed.status).toBe(429)
    expect(await closed.json()).toMatchObject({ code: 'too_many_attempts' })
    expect(Number(closed.headers.get('retry-after'))).toBeGreaterThan(60)
  })

  it.concurrent('shows carts and orders to their owner only', async () => {
    const [ada, eve] = [await signedIn(), await signedIn()]
    await ask('PUT', `/cart/items/${inStock(3)}`, { body: { quantity: 1 }, token: ada })
    expect((await ask('GET', '/cart', { token: eve })).body.lines).toEqual([])
    const { id } = (await ask('POST', '/orders', { body: {}, token: ada, key: 'k' })).body
    expect((await ask('GET', `/orders/${id}`, { token: eve })).status).toBe(404)
    expect((await ask('POST', `/orders/${id}/cancel`, { body: {}, token: eve })).status).toBe(404)
    expect((await ask('GET', '/orders', { token: eve })).body.items).toEqual([])
    expect((await ask('POST', '/orders', { body: {}, token: eve, key: 'k' })).body.code).toBe('cart_empty')
    expect((await ask('GET', `/orders/${id}`, { token: ada })).body.status).toBe('pending')
  })

  it.concurrent('lists all products in pages, none twice', async () => {
    const seen: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const page = await ask('GET', `/products?limit=70${next === '' ? '' : `&cursor=${next}`}`)
      seen.push(...page.body.items.map((product: { sku: string }) => product.sku))
      next = page.body.next
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 500 }, (_, index) => skuAt(index)).toSorted())
  })

  it.concurrent('makes one order of one key, however many ask at once', async () => {
    const token = await signedIn()
    await ask('PUT', `/cart/items/${inStock(20)}`, { body: { quantity: 1 }, token })
    const tries = await Promise.all(
      Array.from({ length: 10 }, () => ask('POST', '/orders', { body: {}, token, key: 'race' })),
    )
    const after = await ask('POST', '/orders', { body: {}, token, key: 'race' })
    expect(after.status).toBe(201)
    for (const each of tries) expect(each).toEqual(after)
    expect((await ask('GET', '/orders', { token })).body.items.map((order: { id: string }) => order.id)).toEqual([
      after.body.id,
    ])
  })

  it('sells 100 pieces to 100 of 1,000 buyers', async () => {
    const sku = skuAt(scarce)
    const operator = store.client(inventory)
    const start = await operator.level({ sku })
    if (start.onHand < 100) await operator.restock({ sku, quantity: 100 - start.onHand, delivery: 'for the crowd' })
    const outcomes = await inTurns(1_000, 40, () => buyOne(store, sku))
    const counts = Object.fromEntries(
      [...Map.groupBy(outcomes, (code) => code)].map(([code, all]) => [code, all.length]),
    )
    expect(counts).toEqual({ bought: 100, out_of_stock: 900 })
    expect(await operator.level({ sku })).toMatchObject({ onHand: 100, reserved: 100, sold: 0 })
    expect((await operator.find({ sku })).available).toBe(0)
  }, 180_000)

  // The last one: after it nobody signs in from here for a while.
  it('holds one network address to so many attempts to sign in, whatever they say', async () => {
    const asked = await inTurns(300, 10, async () => {
      const { status, body } = await ask('POST', '/sessions', { body: {} })
      return status === 400 ? 'let in' : `${status} ${body.code}`
    })
    expect(new Set(asked)).toEqual(new Set(['let in', '429 rate_limited']))
    expect((await ask('GET', '/products')).status).toBe(200)
  })
})

const statusOf = async ({ read }: { read: () => Promise<{ status: string }> }) => (await read()).status
const paymentSystem = () => paymentSystemAt(process.env['PAYMENTS_URL'] as string)

/** A product with fewer than 100 pieces that no other test buys. */
const scarce = Array.from({ length: 500 }, (_, index) => index).findLast((index) => stockAt(index) < 100) as number

/** The first product from `index` with pieces enough. */
function inStock(index: number): string {
  return stockAt(index) >= 20 ? skuAt(index) : inStock(index + 1)
}

/**
 * Puts one piece into a cart of its own and orders it; the code tells how it ended. While the store is too busy to say, it
 * is asked again under the same key.
 */
async function buyOne(store: TestSystem, sku: string): Promise<string> {
  const caller: Caller = { kind: 'user', id: randomUUID(), scopes: ['orders:read', 'orders:write'] }
  await known(() => store.client(carts, caller).setItem.try({ sku, quantity: 1 }))
  const placed = await known(() => store.client(orders, caller).place.try({}, { key: 'one' }))
  return placed.ok ? 'bought' : placed.error.code
}

/** Runs `work` so many times, `atOnce` at a time. */
async function inTurns<T>(times: number, atOnce: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let begun = 0
  const turn = async () => {
    while (begun < times) {
      begun++
      results.push(await work())
    }
  }
  await Promise.all(Array.from({ length: atOnce }, turn))
  return results
}

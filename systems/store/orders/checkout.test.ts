import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { skuAt } from '../seed/product-at.ts'
import { stockAt } from '../seed/stock-at.ts'
import { type SentCall, type Services, startServices, user } from '../testing/services.ts'
import { approvalMs } from './checkout.ts'

let services: Services

beforeAll(async () => {
  services = await startServices(
    [
      'accounts',
      'catalogue',
      'carts',
      'inventory',
      'orders',
      'payments',
      'shipping',
      'notifications',
      'recommendations',
    ],
    200,
  )
})
afterAll(() => services[Symbol.asyncDispose]())
afterEach(() => {
  services.watch(undefined)
  services.hold(undefined)
})

const operator = () => services.as({ kind: 'operator', id: 'olga', scopes: [] })
const carrier = () => services.as({ kind: 'key', id: 'carrier', scopes: ['shipments:scan'] }).shipping
let nextProduct = 0

interface Placed {
  readonly id: string
  readonly sku: string
  readonly shopper: string
  readonly total: { readonly amount: number; readonly currency: string }
  /** Pieces of it before it was ordered. */
  readonly onHand: number
}

const quantity = 3

/** A product of its own for a test. */
function product(): string {
  while (stockAt(nextProduct) < 10) nextProduct++
  return skuAt(nextProduct++)
}

/** An order of three pieces of a product of its own, as far as it comes by itself: its payment waits to be approved. */
async function placed(): Promise<Placed> {
  const [sku, shopper] = [product(), randomUUID()]
  const { onHand } = await operator().inventory.level({ sku })
  await services.as(user(shopper)).carts.setItem({ sku, quantity })
  const { id, total } = await services.as(user(shopper)).orders.place({}, { key: randomUUID() })
  await services.settled()
  return { id, sku, shopper, total, onHand }
}

/** What the buyer does, and that the store hears of it. */
async function approve({ id }: Placed): Promise<void> {
  services.provider.approve(id)
  await look()
}

/** Every webhook is lost in these tests: the store looks for itself. */
async function look(): Promise<void> {
  await lookForPayments()
  await services.settled()
}

async function lookForPayments(): Promise<void> {
  services.pass(6 * 60_000)
  await services.runJob('payments', 'look-after-payments')
}

async function paid(): Promise<Placed> {
  const order = await placed()
  await approve(order)
  return order
}

const orderOf = ({ id, shopper }: Placed) => services.as(user(shopper)).orders.find({ id })
const cancel = ({ id, shopper }: Placed) => services.as(user(shopper)).orders.cancel.try({ id })
const paymentOf = ({ id }: Placed) => operator().payments.find({ orderId: id })

/** A parcel is ready, and the wish to keep it here is on its way. */
async function readyAndWished(): Promise<Placed & { readonly shipmentId: string }> {
  const order = await placed()
  services.provider.approve(order.id)
  let isWished = false
  services.watch((call) => {
    // The wish comes when the money has been taken and before the parcel is ready, and gets no further.
    if (nameOf(call) === 'shipping.recall' || (nameOf(call) === 'shipping.prepare' && !isWished)) crash()
  })
  await lookForPayments()
  const within = { timeout: 30_000 }
  await expect.poll(async () => (await paymentOf(order)).state, within).toBe('captured')
  expect(await cancel(order)).toMatchObject({ ok: true })
  isWished = true
  await expect.poll(async () => (await orderOf(order)).shipmentId, within).not.toBeNull()
  const { status, shipmentId } = await orderOf(order)
  expect(status).toBe('pending')
  return { ...order, shipmentId: shipmentId ?? '' }
}

const toldOf = async ({ id }: Placed) =>
  (await operator().notifications.ofOrder({ orderId: id })).items.map(({ kind }) => kind)

/** What has become of an order, its money and its stock. */
async function standingOf(order: Placed) {
  const { status, approveUrl, closed } = await orderOf(order)
  const { captured, refunded } = await paymentOf(order)
  const { onHand, reserved, sold } = await operator().inventory.level({ sku: order.sku })
  const kept = (captured?.amount ?? 0) - (refunded?.amount ?? 0)
  return { status, approveUrl, reason: closed?.reason, kept, gone: order.onHand - onHand, reserved, sold }
}

/** How a paid order stands: its price is here, its stock is not. */
const asPaid = ({ total }: Placed) => ({
  status: 'confirmed',
  approveUrl: null,
  reason: undefined,
  kept: total.amount,
  gone: quantity,
  reserved: 0,
  sold: quantity,
})

/** How an order stands that came to nothing: nothing of it is left. */
const asGone = (status: 'rejected' | 'cancelled', reason: string) => ({
  status,
  approveUrl: null,
  reason,
  kept: 0,
  gone: 0,
  reserved: 0,
  sold: 0,
})

describe('a checkout', () => {
  it('shows where to approve the payment, and holds the stock for as long as that takes', async () => {
    const order = await placed()
    const approveUrl = `http://payments.test/checkoutnow?token=${services.provider.of(order.id)?.id}`
    expect(await orderOf(order)).toMatchObject({ status: 'pending', approveUrl })
    services.pass(approvalMs - 10 * 60_000)
    await services.runJob('inventory', 'release-expired')
    expect((await operator().inventory.level({ sku: order.sku })).reserved).toBe(quantity)
    await approve(order)
    expect(await standingOf(order)).toEqual(asPaid(order))
  })

  it('that is approved takes the money, the stock and a parcel, and tells the shopper', async () => {
    const email = `${randomUUID()}@example.org`
    const sku = product()
    const { id: shopper } = await operator().accounts.signUp({ email, password: 'correct horse battery', name: 'Ada' })
    await services.as(user(shopper)).carts.setItem({ sku, quantity: 1 })
    const { id } = await services.as(user(shopper)).orders.place({}, { key: 'k' })
    await services.settled()
    services.provider.approve(id)
    await look()
    const order = await services.as(user(shopper)).orders.find({ id })
    expect(order.status).toBe('confirmed')
    const shipment = await services.as(user(shopper)).shipping.find({ id: order.shipmentId ?? '' })
    expect(shipment).toMatchObject({ orderId: id, state: 'ready', lines: [{ sku, quantity: 1 }], scans: [] })
    const { items } = await operator().notifications.ofOrder({ orderId: id })
    expect(items).toMatchObject([{ kind: 'confirmed', outcome: 'no_server' }])
  })

  it.each(['authorize', 'capture'] as const)('whose %s is refused is undone and rejected', async (step) => {
    const order = await placed()
    services.provider.decline(step, 1)
    await approve(order)
    expect(await standingOf(order)).toEqual(asGone('rejected', 'declined'))
    expect(await paymentOf(order)).toMatchObject({ state: 'declined', reason: 'instrument_declined' })
  })

  it('that nobody approves in time is rejected', async () => {
    const order = await placed()
    services.pass(approvalMs + 1)
    await services.settled()
    expect(await standingOf(order)).toEqual(asGone('rejected', 'expired'))
    expect(services.provider.of(order.id)?.status).toBe('VOIDED')
  })

  const steps = [
    'inventory.hold',
    'payments.begin',
    'payments.authorise',
    'payments.capture',
    'inventory.commit',
    'shipping.prepare',
  ]

  it.each(steps)('whose call %s is lost, or whose answer is, goes on and has each effect once', async (operation) => {
    for (const moment of ['before', 'after']) {
      let failures = 2
      services.watch((call) => {
        if (nameOf(call) !== operation || failures-- <= 0) return undefined
        if (moment === 'after') return crash
        return crash()
      })
      const order = await paid()
      expect(await standingOf(order)).toEqual(asPaid(order))
      services.watch(undefined)
    }
  })
})

describe('an order that its customer cancels', () => {
  it('before it is paid is gone, and its payment cannot be approved any more', async () => {
    const order = await placed()
    expect(await cancel(order)).toMatchObject({ ok: true, value: { cancelRequestedAt: expect.any(String) } })
    await services.settled()
    expect(await standingOf(order)).toEqual(asGone('cancelled', 'customer'))
    expect(() => services.provider.approve(order.id)).toThrow('VOIDED')
  })

  it('after it was paid gets its money back, and its stock and parcel stay here', async () => {
    const order = await paid()
    await cancel(order)
    await services.settled()
    expect(await standingOf(order)).toEqual(asGone('cancelled', 'customer'))
    expect(await paymentOf(order)).toMatchObject({ state: 'refunded', refunded: order.total })
    const shipments = (await operator().shipping.list({ limit: 1_000 })).items
    expect(shipments.find((each) => each.orderId === order.id)?.state).toBe('recalled')
  })

  it('many times at once is cancelled once', async () => {
    const order = await paid()
    const replies = await Promise.all(Array.from({ length: 6 }, () => cancel(order)))
    expect(replies.every((reply) => reply.ok)).toBe(true)
    await services.settled()
    expect(await standingOf(order)).toEqual(asGone('cancelled', 'customer'))
    expect(await cancel(order)).toMatchObject({ ok: true, value: { status: 'cancelled' } })
  })

  it('while its money is taken ends with neither money nor stock gone', async () => {
    for (let round = 0; round < 4; round++) {
      const order = await placed()
      services.provider.approve(order.id)
      const looking = look()
      await cancel(order)
      await looking
      await services.settled()
      expect(await standingOf(order)).toEqual(asGone('cancelled', 'customer'))
    }
  })

  it('when the carrier has it is told so, and keeps it', async () => {
    const order = await paid()
    const { shipmentId } = await orderOf(order)
    const scan = { id: shipmentId ?? '', scan: 's-1', kind: 'picked_up' as const, at: new Date().toISOString() }
    services.watch((call) => {
      // The scan comes while the wish is on its way.
      if (nameOf(call) === 'shipping.recall') throw new Error('not yet')
    })
    expect(await cancel(order)).toMatchObject({ ok: true })
    await carrier().scan(scan)
    services.watch(undefined)
    await services.settled()
    expect(await standingOf(order)).toEqual(asPaid(order))
    expect(await orderOf(order)).toMatchObject({ cancelRequestedAt: null })
    expect(await cancel(order)).toMatchObject({ error: { code: 'already_shipped', status: 409 } })
  })

  describe('in the moment in which it is confirmed', () => {
    it('is cancelled, and its customer is told of nothing else', async () => {
      const order = await readyAndWished()
      services.watch(undefined)
      await services.settled()
      expect(await standingOf(order)).toEqual(asGone('cancelled', 'customer'))
      expect(await toldOf(order)).toEqual(['cancelled'])
    })

    it('is confirmed when the carrier was faster, and its customer is told of nothing else', async () => {
      const order = await readyAndWished()
      const scan = { id: order.shipmentId, scan: 's-1', kind: 'picked_up' as const, at: new Date().toISOString() }
      await carrier().scan(scan)
      services.watch(undefined)
      await services.settled()
      expect(await standingOf(order)).toEqual(asPaid(order))
      expect(await toldOf(order)).toEqual(['confirmed'])
    })
  })

  it('is not cancelled by others', async () => {
    const order = await placed()
    const eve = services.as(user(randomUUID())).orders
    expect(await eve.cancel.try({ id: order.id })).toMatchObject({ error: { code: 'order_not_found', status: 404 } })
    expect((await orderOf(order)).cancelRequestedAt).toBeNull()
  })
})

describe('the lists for who checks the books', () => {
  it('have every order, level, payment and shipment once, in pages', async () => {
    const order = await paid()
    const { orders, inventory, payments, shipping } = operator()
    expect(await allOf((cursor) => orders.all({ limit: 7, ...cursor }))).toContainEqual(
      expect.objectContaining({ id: order.id, customerId: order.shopper, status: 'confirmed', total: order.total }),
    )
    const levels = await allOf((cursor) => inventory.levels({ limit: 70, ...cursor }))
    expect(levels.map((level) => level.sku)).toEqual(Array.from({ length: 200 }, (_, index) => skuAt(index)).toSorted())
    const ids = (await allOf((cursor) => payments.list({ limit: 7, ...cursor }))).map((each) => each.orderId)
    expect(ids).toEqual([...new Set(ids)].toSorted())
    const shipments = (await allOf((cursor) => shipping.list({ limit: 7, ...cursor }))).map((each) => each.orderId)
    expect(shipments).toContain(order.id)
    for (const list of [orders.all, inventory.levels, payments.list, shipping.list]) {
      expect(await list.try({ cursor: 'made-up' })).toMatchObject({ error: { code: 'cursor_invalid', status: 400 } })
    }
  })
})

async function allOf<Item>(
  read: (cursor: { cursor?: string }) => Promise<{ items: Item[]; next: string | null }>,
): Promise<Item[]> {
  const all: Item[] = []
  for (let cursor: { cursor?: string } | undefined = {}; cursor !== undefined; ) {
    const page: { items: Item[]; next: string | null } = await read(cursor)
    all.push(...page.items)
    cursor = page.next === null ? undefined : { cursor: page.next }
  }
  return all
}

function crash(): void {
  throw new Error('the process died')
}

function nameOf({ contract, operation }: SentCall): string {
  return `${contract.split('@')[0]}.${operation}`
}

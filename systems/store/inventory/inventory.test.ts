import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skuAt } from '../seed/product-at.ts'
import { known } from '../testing/known.ts'
import { startServices, type Services } from '../testing/services.ts'
import { holdMs } from './reservations.ts'

const minuteMs = 60_000
let services: Services

beforeAll(async () => {
  services = await startServices(['inventory'])
})
afterAll(() => services[Symbol.asyncDispose]())

const operator = () => services.as({ kind: 'operator', id: 'test', scopes: [] }).inventory
let nextProduct = 0

/** A product of its own for a test, with exactly so many pieces. */
async function productWith(pieces: number): Promise<string> {
  for (;;) {
    const sku = skuAt(nextProduct++)
    const { onHand } = await operator().level({ sku })
    if (onHand > pieces) continue
    if (onHand < pieces) await operator().restock({ sku, quantity: pieces - onHand, delivery: `first of ${sku}` })
    return sku
  }
}

describe('a reservation', () => {
  it('holds all lines of an order', async () => {
    const [a, b] = [await productWith(10), await productWith(10)]
    await operator().reserve({
      orderId: randomUUID(),
      lines: [
        { sku: a, quantity: 4 },
        { sku: b, quantity: 10 },
      ],
    })
    expect((await operator().find({ sku: a })).available).toBe(6)
    expect((await operator().find({ sku: b })).available).toBe(0)
    expect((await operator().level({ sku: b })).onHand).toBe(10)
  })

  it('holds nothing when one line is short, and says which', async () => {
    const [a, b] = [await productWith(10), await productWith(3)]
    const orderId = randomUUID()
    const lines = [
      { sku: a, quantity: 4 },
      { sku: b, quantity: 4 },
    ]
    const refused = await operator().reserve.try({ orderId, lines })
    expect(refused).toMatchObject({ ok: false, error: { code: 'out_of_stock', details: { sku: b, available: 3 } } })
    expect((await operator().level({ sku: a })).reserved).toBe(0)
    await operator().restock({ sku: b, quantity: 1, delivery: randomUUID() })
    expect(await operator().reserve({ orderId, lines })).toMatchObject({ state: 'held' })
  })

  it('is one for each order, however often and however much at once it is asked for', async () => {
    const sku = await productWith(10)
    const request = { orderId: randomUUID(), lines: [{ sku, quantity: 7 }] }
    const replies = await Promise.all(Array.from({ length: 8 }, () => operator().reserve(request)))
    expect(new Set(replies.map((reply) => reply.expiresAt)).size).toBe(1)
    expect(await operator().level({ sku })).toMatchObject({ onHand: 10, reserved: 7 })
  })

  it('counts lines of one product together', async () => {
    const sku = await productWith(10)
    const line = { sku, quantity: 6 }
    const refused = await operator().reserve.try({ orderId: randomUUID(), lines: [line, line] })
    expect(refused).toMatchObject({ ok: false, error: { code: 'out_of_stock' } })
    await operator().reserve({
      orderId: randomUUID(),
      lines: [
        { sku, quantity: 5 },
        { sku, quantity: 5 },
      ],
    })
    expect((await operator().find({ sku })).available).toBe(0)
  })

  it('does not exist for a product without stock', async () => {
    const refused = await operator().reserve.try({ orderId: randomUUID(), lines: [{ sku: 'ZZZ-999999', quantity: 1 }] })
    expect(refused).toMatchObject({ ok: false, error: { code: 'out_of_stock', details: { available: 0 } } })
  })

  it('is the same one for the same lines, however they are told, and none for others', async () => {
    const [a, b, c] = [await productWith(10), await productWith(10), await productWith(10)]
    const orderId = randomUUID()
    const [one, two] = [
      { sku: a, quantity: 1 },
      { sku: b, quantity: 2 },
    ]
    await operator().reserve({ orderId, lines: [one, two] })
    const halves = [{ sku: b, quantity: 1 }, one, { sku: b, quantity: 1 }]
    expect(await operator().reserve({ orderId, lines: halves })).toMatchObject({ state: 'held' })
    for (const lines of [[one], [one, { sku: b, quantity: 3 }], [one, two, { sku: c, quantity: 1 }]]) {
      const other = await operator().reserve.try({ orderId, lines })
      expect(other).toMatchObject({ ok: false, error: { code: 'reservation_closed' } })
    }
    expect(await operator().level({ sku: b })).toMatchObject({ reserved: 2 })
  })

  it('is taken out of the stock once by a commit', async () => {
    const sku = await productWith(10)
    const orderId = randomUUID()
    await operator().reserve({ orderId, lines: [{ sku, quantity: 4 }] })
    const replies = await Promise.all(Array.from({ length: 5 }, () => operator().commit({ orderId })))
    expect(replies.map((reply) => reply.state)).toEqual(Array(5).fill('committed'))
    expect(await operator().level({ sku })).toMatchObject({ onHand: 6, reserved: 0, sold: 4 })
  })

  it('is given back once by a release, held or taken', async () => {
    const sku = await productWith(10)
    const [held, taken] = [randomUUID(), randomUUID()]
    await operator().reserve({ orderId: held, lines: [{ sku, quantity: 4 }] })
    await operator().reserve({ orderId: taken, lines: [{ sku, quantity: 5 }] })
    await operator().commit({ orderId: taken })
    await Promise.all([held, taken, held, taken].map((orderId) => operator().release({ orderId })))
    expect(await operator().level({ sku })).toMatchObject({ onHand: 10, reserved: 0, sold: 0 })
    expect(await operator().commit.try({ orderId: held })).toMatchObject({ error: { code: 'reservation_closed' } })
  })

  it('cannot come after its release', async () => {
    const sku = await productWith(10)
    const orderId = randomUUID()
    await operator().release({ orderId })
    const late = await operator().reserve.try({ orderId, lines: [{ sku, quantity: 4 }] })
    expect(late).toMatchObject({ ok: false, error: { code: 'reservation_closed' } })
    expect((await operator().find({ sku })).available).toBe(10)
  })

  it('ends by itself after half an hour, and not before', async () => {
    const sku = await productWith(10)
    const orderId = randomUUID()
    await operator().reserve({ orderId, lines: [{ sku, quantity: 4 }] })
    services.pass(holdMs - minuteMs)
    await services.runJob('inventory', 'release-expired')
    expect((await operator().find({ sku })).available).toBe(6)
    services.pass(2 * minuteMs)
    await services.runJob('inventory', 'release-expired')
    expect((await operator().find({ sku })).available).toBe(10)
    expect(await operator().commit.try({ orderId })).toMatchObject({ error: { code: 'reservation_closed' } })
  })
})

describe('a delivery', () => {
  it('is booked once', async () => {
    const sku = await productWith(10)
    const delivery = randomUUID()
    await Promise.all([1, 2, 3].map(() => operator().restock({ sku, quantity: 5, delivery })))
    expect((await operator().level({ sku })).onHand).toBe(15)
  })

  it('is refused for a product that the store does not keep', async () => {
    const refused = await operator().restock.try({ sku: 'ZZZ-999999', quantity: 1, delivery: 'x' })
    expect(refused).toMatchObject({ ok: false, error: { code: 'stock_unknown' } })
  })
})

describe('the books', () => {
  it('stay right and nobody waits for each other when orders of the same products cross', async () => {
    const skus = [await productWith(30), await productWith(30), await productWith(30)]
    const before = await Promise.all(skus.map((sku) => operator().level({ sku })))
    const refusals: string[] = []
    const work = Array.from({ length: 60 }, async (_, i) => {
      const orderId = randomUUID()
      const lines = (i % 2 === 0 ? skus : skus.toReversed()).map((sku) => ({ sku, quantity: 1 + (i % 3) }))
      const held = await known(() => operator().reserve.try({ orderId, lines }))
      if (!held.ok) {
        refusals.push(held.error.code)
        return 0
      }
      if (i % 5 === 0) await known(() => operator().release.try({ orderId }))
      else await known(() => operator().commit.try({ orderId }))
      return i % 5 === 0 ? 0 : 1 + (i % 3)
    })
    const sold = (await Promise.all(work)).reduce((a, b) => a + b, 0)
    expect(sold).toBeGreaterThan(20)
    expect(new Set(refusals)).toEqual(new Set(['out_of_stock']))
    for (const [i, sku] of skus.entries()) {
      const level = await operator().level({ sku })
      expect(level).toEqual({ ...before[i], onHand: 30 - sold, reserved: 0, sold })
      expect(level.initial + level.restocked).toBe(level.onHand + level.sold)
    }
  })

  it('are guarded by the database too: more than there is cannot be written', async () => {
    const sku = await productWith(5)
    const { db } = services.store<{ stock: { sku: string; on_hand: number; reserved: number } }>('inventory')
    await expect(db.updateTable('stock').set({ reserved: 6 }).where('sku', '=', sku).execute()).rejects.toThrow(
      /never_oversold/,
    )
    await expect(db.updateTable('stock').set({ reserved: -1 }).where('sku', '=', sku).execute()).rejects.toThrow(
      /reserved_is_not_negative/,
    )
  })
})

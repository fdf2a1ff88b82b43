import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skuAt } from '../seed/product-at.ts'
import { type Services, startServices, user } from '../testing/services.ts'
import { scansMax } from './contract.ts'

let services: Services

beforeAll(async () => {
  services = await startServices(['shipping'])
})
afterAll(() => services[Symbol.asyncDispose]())

const operator = () => services.as({ kind: 'operator', id: 'olga', scopes: [] }).shipping
const carrier = () => services.as({ kind: 'key', id: 'carrier', scopes: ['shipments:scan'] }).shipping
const lines = [{ sku: skuAt(2), quantity: 3 }]

async function prepared() {
  const [orderId, customerId] = [randomUUID(), randomUUID()]
  return { customerId, ...(await operator().prepare({ orderId, customerId, lines })) }
}

const seen = (id: string, scan: string, kind: 'picked_up' | 'in_transit' | 'delivered', minute = 0) =>
  carrier().scan.try({ id, scan, kind, at: new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString() })

describe('a shipment', () => {
  it('is one for each order, and its owner’s', async () => {
    const { orderId, customerId, id, state } = await prepared()
    expect(state).toBe('ready')
    expect(await operator().prepare({ orderId, customerId, lines })).toMatchObject({ id, lines })
    expect(await services.as(user(customerId)).shipping.find({ id })).toMatchObject({ orderId, lines })
    expect(await operator().find({ id })).toMatchObject({ orderId })
    const others = services.as(user(randomUUID())).shipping
    expect(await others.find.try({ id })).toMatchObject({ error: { code: 'shipment_not_found', status: 404 } })
  })

  it('is followed by its scans, each once and in the order of their times, however they come', async () => {
    const { id } = await prepared()
    expect(await seen(id, 'c', 'delivered', 30)).toMatchObject({ ok: true, value: { state: 'delivered' } })
    expect(await seen(id, 'a', 'picked_up', 10)).toMatchObject({ ok: true })
    expect(await seen(id, 'b', 'in_transit', 20)).toMatchObject({ ok: true })
    const last = await seen(id, 'a', 'picked_up', 10)
    expect(last).toMatchObject({ ok: true, value: { state: 'delivered' } })
    const { scans } = await operator().find({ id })
    expect(scans.map(({ scan, kind }) => [scan, kind])).toEqual([
      ['a', 'picked_up'],
      ['b', 'in_transit'],
      ['c', 'delivered'],
    ])
  })

  it('has a bound to its scans', async () => {
    const { id } = await prepared()
    for (let i = 0; i < scansMax; i++) await seen(id, String(i), 'in_transit', i)
    const one = await seen(id, 'one more', 'in_transit')
    expect(one).toMatchObject({ error: { code: 'too_many_scans', status: 409, details: { scansMax } } })
  })

  it('is scanned by carriers only', async () => {
    const { id } = await prepared()
    const shopper = services.as(user(randomUUID())).shipping
    const scan = { id, scan: 'x', kind: 'delivered' as const, at: new Date().toISOString() }
    expect(await shopper.scan.try(scan)).toMatchObject({ error: { code: 'forbidden' } })
    expect(await seen(randomUUID(), 'x', 'picked_up')).toMatchObject({ error: { code: 'shipment_not_found' } })
  })
})

describe('recalling', () => {
  it('keeps a parcel here, twice as well as once, and the carrier is told', async () => {
    const { orderId, id } = await prepared()
    await operator().recall({ orderId })
    await operator().recall({ orderId })
    expect((await operator().find({ id })).state).toBe('recalled')
    expect(await seen(id, 'x', 'picked_up')).toMatchObject({ error: { code: 'shipment_recalled', status: 409 } })
  })

  it('holds for a parcel that is not ready yet', async () => {
    const [orderId, customerId] = [randomUUID(), randomUUID()]
    await operator().recall({ orderId })
    expect(await operator().prepare({ orderId, customerId, lines })).toMatchObject({ state: 'recalled', lines: [] })
  })

  it('is too late once the carrier has it', async () => {
    const { orderId, id } = await prepared()
    await seen(id, 'x', 'picked_up')
    expect(await operator().recall.try({ orderId })).toMatchObject({
      error: { code: 'already_dispatched', status: 409 },
    })
    expect((await operator().find({ id })).state).toBe('dispatched')
  })

  it('and the first scan at once leave one of the two', async () => {
    for (let round = 0; round < 8; round++) {
      const { orderId, id } = await prepared()
      const [recalled, scanned] = await Promise.all([operator().recall.try({ orderId }), seen(id, 'x', 'picked_up')])
      expect(recalled.ok).not.toBe(scanned.ok)
      expect((await operator().find({ id })).state).toBe(recalled.ok ? 'recalled' : 'dispatched')
    }
  })
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Services, startCustomers } from '../testing/services.ts'
import { boundsOf, monthOf } from './month.ts'

let services: Services
beforeAll(async () => {
  services = await startCustomers()
})
afterAll(() => services?.[Symbol.asyncDispose]())
beforeEach(() => {
  services.access.down = undefined
})

let ahead = 0
const pass = (ms: number) => {
  ahead += ms
  services.pass(ms)
}
const now = () => Date.now() + ahead
/** An account with so many keys, as another service made them. */
async function account(keys = 2) {
  const id = randomUUID()
  for (let n = 0; n < keys; n++) {
    const key = `${id} ${n}`
    services.access.keys.set(key, { id: key, owner: id, prefix: 'trs_', plan: 'free', revokedAt: null })
  }
  return { id, as: services.as(id).billing }
}
const plansOf = (owner: string) =>
  [...services.access.keys.values()].filter((key) => key.owner === owner).map(({ plan }) => plan)

describe('a subscription', () => {
  it('is free until it is changed, and holds for all keys of the account', async () => {
    const { id, as } = await account(3)
    const other = await account()
    expect(await as.subscription({})).toEqual({ plan: 'free', since: null })
    expect(await as.subscribe({ plan: 'premium' })).toMatchObject({ plan: 'premium', since: expect.any(String) })
    expect(plansOf(id)).toEqual(['premium', 'premium', 'premium'])
    expect(plansOf(other.id)).toEqual(['free', 'free'])
    const { since } = await as.subscription({})
    expect(await as.subscribe({ plan: 'premium' })).toEqual({ plan: 'premium', since })
    await as.subscribe({ plan: 'free' })
    expect(plansOf(id)).toEqual(['free', 'free', 'free'])
  })

  it('reaches the keys later when the service of keys is down', async () => {
    const { id, as } = await account()
    services.access.down = 'updateKey'
    expect((await as.subscribe.try({ plan: 'premium' })).ok).toBe(false)
    expect(await as.subscription({})).toMatchObject({ plan: 'premium' })
    expect(plansOf(id)).toEqual(['free', 'free'])
    services.access.down = undefined
    await services.runJob('billing', 'settle-keys')
    expect(plansOf(id)).toEqual(['premium', 'premium'])
    services.access.asked.length = 0
    await services.runJob('billing', 'settle-keys')
    expect(services.access.asked).toEqual([])
  })

  it('is changed by a request that began earlier, or on a replica whose clock is behind, too', async () => {
    const { id, as } = await account(1)
    await as.subscribe({ plan: 'premium' })
    const { since } = await as.subscription({})
    pass(-60_000)
    expect(await as.subscribe({ plan: 'free' })).toEqual({ plan: 'free', since })
    expect(await as.subscribe({ plan: 'premium' })).toEqual({ plan: 'premium', since })
    expect(plansOf(id)).toEqual(['premium'])
    pass(60_000)
  })

  it('is one, however many ask at once', async () => {
    const { id, as } = await account(1)
    await Promise.all(Array.from({ length: 6 }, (_, n) => as.subscribe({ plan: n % 2 === 0 ? 'premium' : 'free' })))
    const { plan } = await as.subscription({})
    await services.runJob('billing', 'settle-keys')
    await services.client((await import('./contract.ts')).billing).settle({ account_id: id })
    expect(plansOf(id)).toEqual([plan])
  })
})

describe('a month', () => {
  it('is closed once, an hour after its end, for who had a paid plan in it', async () => {
    const [payer, free] = [await account(), await account()]
    const month = monthOf(now())
    await payer.as.subscribe({ plan: 'premium' })
    services.access.used.set(payer.id, { requests: 120, units: 318 })
    services.access.used.set(free.id, { requests: 7, units: 7 })
    await services.runJob('billing', 'close-months')
    expect((await payer.as.invoices({})).items).toEqual([])
    pass(boundsOf(month).endMs - now() + 30 * 60_000)
    await services.runJob('billing', 'close-months')
    expect((await payer.as.invoices({})).items).toEqual([])
    pass(40 * 60_000)
    await Promise.all([services.runJob('billing', 'close-months'), services.runJob('billing', 'close-months')])
    const { items } = await payer.as.invoices({})
    expect(items).toMatchObject([{ month, requests: 120, units: 318, lines: [{ plan: 'premium' }] }])
    expect(items[0]?.total).toEqual(items[0]?.lines[0]?.price)
    expect(items[0]?.total.amount).toBeGreaterThan(0)
    expect((await free.as.invoices({})).items).toEqual([])
    const last = services.access.asked.findLast(({ operation }) => operation === 'usage')
    expect(last?.input).toMatchObject({
      from: new Date(boundsOf(month).startMs).toISOString(),
      to: new Date(boundsOf(month).endMs).toISOString(),
    })
  })

  it('that nobody closed in time is closed later, and each has its invoice', async () => {
    const { as } = await account()
    await as.subscribe({ plan: 'premium' })
    const first = monthOf(now())
    pass(70 * 86_400_000)
    await services.runJob('billing', 'close-months')
    const { items } = await as.invoices({})
    expect(items.length).toBeGreaterThanOrEqual(2)
    expect(items.at(-1)?.month).toBe(first)
    expect(items.map(({ month }) => month)).toEqual(
      items
        .map(({ month }) => month)
        .toSorted()
        .toReversed(),
    )
    expect(items[0]?.total.amount).toBe(4_900)
  })

  it('tells what was used so far', async () => {
    const { id, as } = await account()
    expect(await as.usage({})).toEqual({ month: monthOf(now()), requests: 0, units: 0 })
    services.access.used.set(id, { requests: 3, units: 102 })
    expect(await as.usage({ month: '2026-10' })).toEqual({ month: '2026-10', requests: 3, units: 102 })
  })
})

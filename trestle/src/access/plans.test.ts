import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyone, signedIn } from '../contract/index.ts'
import { apiKeys, authenticator, cache, type GatewayOptions, plan, rateLimit, upstream } from '../gateway/index.ts'
import { rawReply } from '../gateway/refusals/recording-upstream.ts'
import { systemClock } from '../std/clock.ts'
import { type Edge, eventually, startEdge } from './fixtures/edge.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
  edge.upstream.reply = ({ text }) => {
    const status = /[?&]status=(\d+)/.exec(text)?.[1]
    return rawReply('ok', '', status === undefined ? '200 OK' : `${status} Status`)
  }
})
afterAll(() => edge[Symbol.asyncDispose]())

const sessions = authenticator({
  name: 'sessions',
  scheme: 'session',
  authenticate: async ({ credential }) => ({ kind: 'user', id: credential, scopes: [] }),
})
const day = 86_400_000
/** Noon of a day that nothing else counts in; advances with real time. */
const clockAt = (dayNumber: number) => {
  const begin = Date.now()
  return { ...systemClock, now: () => Date.UTC(2031, 0, dayNumber, 12) + (Date.now() - begin) }
}
const plans = {
  free: plan({ routes: ['small'], quotas: [{ per: 'day', allow: 5 }] }),
  paid: plan({ quotas: [{ per: 'day', allow: 1_000 }] }),
  both: plan({
    quotas: [
      { per: 'day', allow: 10 },
      { per: 'month', allow: 3 },
    ],
  }),
  each: plan({ quotas: [{ per: 'day', allow: 2, of: 'key' }] }),
  slow: plan({ limits: [{ allow: 2, windowMs: 3_600_000 }] }),
}
const options = (more: Partial<GatewayOptions> = {}): GatewayOptions => ({
  authenticate: [apiKeys(), sessions],
  routes: [
    upstream('/small/*', [edge.upstream.url], { name: 'small', access: signedIn() }),
    upstream('/large/*', [edge.upstream.url], { name: 'large', access: signedIn(), cost: 3 }),
    upstream('/pub/*', [edge.upstream.url], { name: 'pub', access: anyone() }),
  ],
  plans,
  ...more,
})
let owners = 0
async function keyOn(name: string | undefined, owner = `owner-${(owners += 1)}`) {
  return await edge.ask.createKey({ name: 'test', owner, ...(name === undefined ? {} : { plan: name }) })
}
const get = (gateway: number, secret: string, path = '/small/x') =>
  edge.fetch(gateway, path, { headers: { 'x-api-key': secret } })
const statuses = async (count: number, ask: () => Promise<Response>) => {
  const all: number[] = []
  for (let n = 0; n < count; n += 1) all.push((await ask()).status)
  return all
}
const okOf = (list: readonly number[]) => list.filter((status) => status === 200).length

describe('a plan', () => {
  it('lets its routes through and refuses others, by code', async () => {
    const gateway = await edge.open(options())
    const [free, paid, none] = [await keyOn('free'), await keyOn('paid'), await keyOn(undefined)]
    expect((await get(gateway, free.secret)).status).toBe(200)
    const refused = await get(gateway, free.secret, '/large/x')
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'plan_required', detail: expect.stringContaining('free') })
    expect((await get(gateway, paid.secret, '/large/x')).status).toBe(200)
    expect((await get(gateway, none.secret)).status).toBe(403)
    expect((await get(gateway, none.secret, '/pub/x')).status).toBe(200)
    const session = await edge.fetch(gateway, '/small/x', { headers: { authorization: 'Session ada' } })
    expect(session.status).toBe(403)
  })

  it('that an operator changes, makes or takes from a key holds everywhere soon', async () => {
    await edge.ask.putPlan({ name: 'made', routes: ['pub'] })
    const gateway = await edge.open(options())
    const { key, secret } = await keyOn('made')
    expect((await get(gateway, secret)).status).toBe(403)
    await edge.ask.putPlan({ name: 'made', routes: ['small'] })
    await eventually(async () => (await get(gateway, secret)).status === 200)
    await edge.ask.updateKey({ id: key.id, plan: 'free' })
    await eventually(async () => (await get(gateway, secret)).headers.get('ratelimit-policy')?.includes('q=5') === true)
    expect(await edge.ask.putPlan.try({ name: 'free' })).toMatchObject({ error: { code: 'plan_declared' } })
  })

  it('limits how often, together with the limits of the gateway', async () => {
    const gateway = await edge.open(
      options({ policies: [rateLimit({ name: 'all', per: 'caller', allow: 100, windowMs: 60_000 })] }),
    )
    const [a, b] = [await keyOn('slow', 'two-keys'), await keyOn('slow', 'two-keys')]
    const first = await get(gateway, a.secret)
    expect(first.headers.get('ratelimit-policy')).toBe('"all";q=100;w=60, "plan-slow";q=2;w=3600')
    expect((await get(gateway, b.secret)).status).toBe(200)
    const refused = await get(gateway, a.secret)
    expect([refused.status, (await refused.json()) as object]).toMatchObject([429, { code: 'rate_limited' }])
  })
})

describe('a quota', () => {
  it('is served to the last unit and no further, and says when it is renewed', async () => {
    const gateway = await edge.open(options(), clockAt(1))
    const { secret } = await keyOn('free')
    expect(await statuses(7, () => get(gateway, secret))).toEqual([200, 200, 200, 200, 200, 429, 429])
    const refused = await get(gateway, secret)
    expect(await refused.json()).toMatchObject({
      code: 'quota_exceeded',
      detail: expect.stringContaining('2031-01-02'),
    })
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(12 * 3_600 - 60)
    expect(seconds).toBeLessThanOrEqual(12 * 3_600)
    expect(refused.headers.get('ratelimit-policy')).toBe('"quota-day";q=5;w=86400')
    expect(refused.headers.get('ratelimit')).toMatch(/^"quota-day";r=0;t=43\d\d\d$/)
    const tomorrow = await edge.open(options(), clockAt(2))
    expect((await get(tomorrow, secret)).status).toBe(200)
  })

  it('is shared by the keys of an owner, or each key has its own, as the plan says', async () => {
    const gateway = await edge.open(options(), clockAt(3))
    const [a, b] = [await keyOn('free', 'ada'), await keyOn('free', 'ada')]
    expect(okOf(await statuses(4, () => get(gateway, a.secret)))).toBe(4)
    expect(okOf(await statuses(4, () => get(gateway, b.secret)))).toBe(1)
    const [c, d] = [await keyOn('each', 'eve'), await keyOn('each', 'eve')]
    expect(okOf(await statuses(4, () => get(gateway, c.secret)))).toBe(2)
    expect(okOf(await statuses(4, () => get(gateway, d.secret)))).toBe(2)
  })

  it('is taken by the cost of the route, all quotas of a plan or none', async () => {
    const gateway = await edge.open(options(), clockAt(4))
    const { secret } = await keyOn('both')
    // The month has three units, which is one request that costs three.
    expect(await statuses(2, () => get(gateway, secret, '/large/x'))).toEqual([200, 429])
    expect(
      (await edge.ask.usage({ from: '2031-01-04T00:00:00Z', to: '2031-01-05T00:00:00Z', by: 'total' })).length,
    ).toBe(0)
    const other = await keyOn('both')
    expect(await statuses(4, () => get(gateway, other.secret))).toEqual([200, 200, 200, 429])
  })

  it('is not taken by what does not count', async () => {
    const gateway = await edge.open(options({ quota: { counts: ['2xx'] } }), clockAt(5))
    const { secret } = await keyOn('free')
    expect(await statuses(9, () => get(gateway, secret, '/small/x?status=404'))).toEqual(Array(9).fill(404))
    expect(okOf(await statuses(9, () => get(gateway, secret)))).toBe(5)
    const strict = await edge.open(options(), clockAt(5))
    const other = await keyOn('free')
    expect(await statuses(3, () => get(strict, other.secret, '/small/x?status=500'))).toEqual([500, 500, 500])
    expect(await statuses(3, () => get(strict, other.secret, '/small/x?status=404'))).toEqual([404, 404, 404])
    expect(okOf(await statuses(9, () => get(strict, other.secret)))).toBe(2)
  })

  it('is taken by a reply from the cache unless that is free', async () => {
    const policies = [cache({ ttlMs: 60_000, allowAuthorization: true })]
    const counted = await edge.open(options({ policies }), clockAt(8))
    const free = await edge.open(options({ policies, quota: { countsCached: false } }), clockAt(8))
    const [a, b] = [await keyOn('free'), await keyOn('free')]
    expect(okOf(await statuses(9, () => get(counted, a.secret)))).toBe(5)
    expect(okOf(await statuses(9, () => get(free, b.secret)))).toBe(9)
  })

  it('may answer with another status', async () => {
    const gateway = await edge.open(options({ quota: { status: 402 } }), clockAt(6))
    const { secret } = await keyOn('each')
    expect(await statuses(3, () => get(gateway, secret))).toEqual([200, 200, 402])
  })

  it('is never exceeded by several gateways, and what a closed one held is served by the others', async () => {
    const clock = clockAt(7)
    const gateways = [
      await edge.open(options(), clock),
      await edge.open(options(), clock),
      await edge.open(options(), clock),
    ]
    const { secret } = await keyOn('paid')
    let served = 0
    const ask = async (gateway: number) => {
      const { status } = await get(gateway, secret)
      if (status === 200) served += 1
      return status
    }
    await Promise.all(gateways.flatMap((gateway) => Array.from({ length: 100 }, () => ask(gateway))))
    expect(served).toBe(300)
    await edge.close(gateways[0] as number)
    const rest = await Promise.all(
      [1, 2].flatMap((at) => Array.from({ length: 600 }, () => ask(gateways[at] as number))),
    )
    expect(served).toBe(1_000)
    expect(rest.filter((status) => status === 429)).toHaveLength(500)
  })
})

const outcome = async (whenStoreDown: 'open' | 'closed' | 'local', at: number) => {
  const gateway = await edge.open(options({ quota: { whenStoreDown } }), clockAt(at))
  const { secret } = await keyOn('free')
  expect((await get(gateway, secret)).status).toBe(200)
  edge.reachable = false
  try {
    return await statuses(8, () => get(gateway, secret))
  } finally {
    edge.reachable = true
  }
}

describe('a quota whose database is down', () => {
  it('refuses, counts by itself, or does not count, as it is told', async () => {
    expect(await outcome('closed', 10)).toEqual(Array(8).fill(503))
    expect(await outcome('local', 11)).toEqual([200, 200, 200, 200, 429, 429, 429, 429])
    expect(await outcome('open', 12)).toEqual(Array(8).fill(200))
  })

  it('charges what was served meanwhile when it is back', async () => {
    const gateway = await edge.open(options({ quota: { whenStoreDown: 'open' } }), clockAt(13))
    const { secret } = await keyOn('free')
    expect((await get(gateway, secret)).status).toBe(200)
    edge.reachable = false
    expect(okOf(await statuses(3, () => get(gateway, secret)))).toBe(3)
    edge.reachable = true
    await eventually(async () => (await get(gateway, secret)).status === 429)
    const other = await edge.open(options(), clockAt(13))
    expect((await get(other, secret)).status).toBe(429)
  })
})

describe('usage', () => {
  it('is counted by key, route and status class, units only where they counted, and flushed when a gateway closes', async () => {
    const clock = clockAt(20)
    const gateway = await edge.open(options(), clock)
    const { key, secret } = await keyOn('free', 'metered')
    await statuses(4, () => get(gateway, secret))
    await get(gateway, secret, '/small/x?status=500')
    await get(gateway, secret, '/large/x')
    await get(gateway, secret, '/pub/x')
    await statuses(2, () => get(gateway, secret, '/small/x?status=404'))
    await edge.close(gateway)
    const range = {
      from: new Date(Date.UTC(2031, 0, 20)).toISOString(),
      to: new Date(Date.UTC(2031, 0, 20) + day).toISOString(),
    }
    const rows = await edge.ask.usage({ ...range, keyId: key.id })
    expect(rows.map(({ route, statusClass, requests, units }) => [route, statusClass, requests, units])).toEqual([
      ['large', '4xx', 1, 0],
      ['pub', '2xx', 1, 0],
      ['small', '2xx', 4, 4],
      ['small', '4xx', 2, 1],
      ['small', '5xx', 1, 0],
    ])
    expect(rows.every(({ from }) => from === '2031-01-20T00:00:00.000Z')).toBe(true)
    const [total] = await edge.ask.usage({ ...range, owner: 'metered', by: 'total', groups: [] })
    expect(total).toMatchObject({ keyId: null, route: null, statusClass: null, requests: 9, units: 5 })
    expect(await edge.ask.usage({ ...range, route: 'pub', groups: ['route'] })).toMatchObject([{ requests: 1 }])
  })

  it('waits while the service is away, and counts once', async () => {
    const gateway = await edge.open(options(), clockAt(22))
    const { key, secret } = await keyOn('paid')
    await statuses(2, () => get(gateway, secret))
    edge.reachable = false
    await statuses(3, () => get(gateway, secret))
    edge.reachable = true
    const requests = async () =>
      (
        await edge.ask.usage({
          from: '2031-01-22T00:00:00Z',
          to: '2031-01-23T00:00:00Z',
          keyId: key.id,
          by: 'total',
          groups: [],
        })
      )[0]?.requests
    await eventually(async () => (await requests()) === 5)
    await edge.close(gateway)
    expect(await requests()).toBe(5)
  })
})

describe('plan', () => {
  it.each([
    [{ quotas: [{ per: 'day' as const, allow: -1 }] }, /a quota has/],
    [{ limits: [{ allow: 0, windowMs: 1 }] }, /a limit has/],
    [{ routes: [''] }, /routes/],
  ])('refuses %j', (given, message) => {
    expect(() => plan(given)).toThrow(message)
  })
})

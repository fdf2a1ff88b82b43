import { afterEach, describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { type Bench, notes, startBench } from '../gateway-fixture.ts'
import { expose, rateLimit } from '../index.ts'

const benches: Bench[] = []
async function start(options: Parameters<typeof startBench>[1] = {}): Promise<Bench> {
  const bench = await startBench(undefined, options)
  benches.push(bench)
  return bench
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()))
})

const as = (user: string) => ({ headers: { authorization: `Bearer ${user}` } })
const limited = (...limits: Parameters<typeof rateLimit>[0][]) => ({ policies: limits.map(rateLimit) })

describe('a rate limit', () => {
  it('lets a burst in, refuses with 429 and Retry-After, and lets in again when that time is over', async () => {
    const clock = virtualClock()
    const bench = await start({
      ...limited({ per: 'caller', allow: 2, windowMs: 10_000 }),
      deps: { clock },
    })
    const statuses = async () => (await bench.fetch('/mine', as('ann'))).status
    expect([await statuses(), await statuses()]).toEqual([200, 200])
    const refused = await bench.fetch('/mine', as('ann'))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await refused.json()).toMatchObject({
      code: 'rate_limited',
      detail: 'The limit caller-2-per-10s is reached',
    })
    await clock.advance(4_999)
    expect(await statuses()).toBe(429)
    await clock.advance(1)
    expect([await statuses(), await statuses()]).toEqual([200, 429])
  })

  it('says on every reply what is allowed and what is left', async () => {
    const clock = virtualClock()
    const bench = await start({
      ...limited({ name: 'minute', per: 'ip', allow: 60, windowMs: 60_000, burst: 3 }),
      deps: { clock },
    })
    const seen = async (path: string) => {
      const { headers } = await bench.fetch(path)
      return [headers.get('ratelimit-policy'), headers.get('ratelimit')]
    }
    const policy = '"minute";q=60;w=60;trestle-burst=3'
    expect(await seen('/pub/notes')).toEqual([policy, '"minute";r=2;t=1'])
    expect(await seen('/pub/notes')).toEqual([policy, '"minute";r=1;t=1'])
    await clock.advance(1_500)
    expect(await seen('/pub/notes')).toEqual([policy, '"minute";r=1;t=1'])
    expect(await seen('/pub/notes')).toEqual([policy, '"minute";r=0;t=1'])
    expect(await seen('/pub/notes')).toEqual([policy, '"minute";r=0;t=1'])
  })

  it('counts each caller by itself, and those without a name by their address', async () => {
    const bench = await start(limited({ per: 'caller', allow: 1, windowMs: 86_400_000 }))
    const status = async (init?: RequestInit) => (await bench.fetch('/pub/notes', init)).status
    expect(await status(as('ann'))).toBe(200)
    expect(await status(as('bob'))).toBe(200)
    expect(await status()).toBe(200)
    expect(await status(as('ann'))).toBe(429)
    expect(await status()).toBe(429)
  })

  it('charges nothing to the limits that let in what another one refuses', async () => {
    const bench = await start(
      limited(
        { name: 'wide', per: 'ip', allow: 10, windowMs: 86_400_000 },
        { name: 'narrow', per: 'caller', allow: 1, windowMs: 86_400_000 },
      ),
    )
    expect((await bench.fetch('/pub/notes', as('ann'))).headers.get('ratelimit')).toBe(
      '"wide";r=9;t=8640, "narrow";r=0;t=86400',
    )
    for (let again = 0; again < 3; again += 1) {
      const refused = await bench.fetch('/pub/notes', as('ann'))
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '86400'])
      expect(refused.headers.get('ratelimit')).toMatch(/^"wide";r=9;/)
    }
  })

  it('holds before anybody is asked who it is, where that is wanted', async () => {
    const bench = await start({
      ...limited({ per: 'ip', allow: 1, windowMs: 86_400_000, before: 'authentication' }),
      verify: () => ({ ok: true, status: 200, body: { kind: 'value', value: { id: '', scopes: [] } } }),
    })
    expect((await bench.fetch('/mine', as('guess-1'))).status).toBe(401)
    expect((await bench.fetch('/mine', as('guess-2'))).status).toBe(429)
  })

  it('of a route counts there alone', async () => {
    const bench = await start({
      routes: [
        expose(notes, { except: ['list'] }),
        expose(notes, { only: ['list'], policies: [rateLimit({ per: 'ip', allow: 1, windowMs: 86_400_000 })] }),
      ],
    })
    const statuses = []
    for (const path of ['/pub/notes', '/pub/notes', '/pub/notes/1', '/pub/notes/1']) {
      statuses.push((await bench.fetch(path)).status)
    }
    expect(statuses).toEqual([200, 429, 200, 200])
  })

  it('goes by whatever a function says, and counts nobody for whom it says nothing', async () => {
    const bench = await start(
      limited({ per: ({ headers }) => headers.get('x-team'), allow: 1, windowMs: 86_400_000, cost: 1 }),
    )
    const status = async (team?: string) =>
      (await bench.fetch('/pub/notes', { headers: team === undefined ? {} : { 'x-team': team } })).status
    expect([await status('a'), await status('a'), await status('b')]).toEqual([200, 429, 200])
    expect([await status(), await status()]).toEqual([200, 200])
  })

  it.each([
    [{ per: 'ip', allow: 0, windowMs: 1 }, /allow/],
    [{ per: 'ip', allow: 1.5, windowMs: 1 }, /allow/],
    [{ per: 'ip', allow: 1, windowMs: 0 }, /windowMs/],
    [{ per: 'ip', allow: 1, windowMs: 1, cost: 2 }, /cost/],
    [{ per: 'everybody' as 'ip', allow: 1, windowMs: 1 }, /per is/],
    [{ per: 'caller', allow: 1, windowMs: 1, before: 'authentication' }, /before authentication/],
    [{ name: 'a "b"', per: 'ip', allow: 1, windowMs: 1 }, /name/],
  ] as const)('is refused as %j', (options, message) => {
    expect(() => rateLimit(options)).toThrow(message)
  })

  it('is listed with its route under its name, also where it is taken together with another one', async () => {
    const bench = await start(
      limited({ per: 'ip', allow: 5, windowMs: 1_000 }, { name: 'daily', per: 'caller', allow: 1, windowMs: 1_000 }),
    )
    const listed = bench.gateway.routes().find(({ path }) => path === '/mine')
    expect(listed?.policies).toEqual(expect.arrayContaining(['ip-5-per-1s', 'daily']))
  })

  it('has a name of its own', async () => {
    const one = { name: 'one', per: 'ip', allow: 1, windowMs: 1_000 } as const
    await expect(start(limited(one, one))).rejects.toThrow(/Two rate limits are called one/)
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, notes, startBench } from '../gateway-fixture.ts'
import { cors, expose, rateLimit } from '../index.ts'
import { originRule } from './origin-rule.ts'

const benches: Bench[] = []
async function start(options: Parameters<typeof startBench>[1] = {}): Promise<Bench> {
  const bench = await startBench(undefined, options)
  benches.push(bench)
  return bench
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()))
})

const app = 'https://app.example.com'
const preflight = (method: string, origin = app, more: Record<string, string> = {}) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': method, ...more },
})
const said = (reply: Response) =>
  Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith('access-control-')))

describe('cors', () => {
  it('answers a preflight by the route of the method asked for, before anybody is asked who it is', async () => {
    const bench = await start({
      policies: [cors({ origins: [app] })],
      verify: () => {
        throw new Error('nobody was to be asked')
      },
    })
    const reply = await bench.fetch('/mine', preflight('GET', app, { authorization: 'Bearer ann' }))
    expect(reply.status).toBe(204)
    expect(said(reply)).toEqual({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': expect.stringMatching(/^Authorization, Content-Type, /),
      'access-control-max-age': '600',
    })
    expect(reply.headers.get('vary')).toBe('Access-Control-Request-Method, Access-Control-Request-Headers, Origin')
    expect((await bench.fetch('/pub/notes', preflight('POST'))).headers.get('access-control-allow-methods')).toBe(
      'POST',
    )
    expect(bench.calls).toEqual([])
  })

  it('says nothing to pages of other origins, and nothing of methods that no route has', async () => {
    const bench = await start({ policies: [cors({ origins: [app] })] })
    expect(said(await bench.fetch('/mine', preflight('GET', 'https://evil.example')))).toEqual({})
    expect(said(await bench.fetch('/mine', preflight('GET', 'null')))).toEqual({})
    expect(said(await bench.fetch('/mine', preflight('DELETE')))).toEqual({})
    const reply = await bench.fetch('/pub/notes', { headers: { origin: 'https://evil.example' } })
    expect([reply.status, said(reply), reply.headers.get('vary')]).toEqual([200, {}, 'Origin'])
  })

  it('lets a page see whether a reply was replayed, and when to come back', async () => {
    const bench = await start({ policies: [cors({ origins: [app] })] })
    const exposed = (await bench.fetch('/pub/notes', { headers: { origin: app } })).headers.get(
      'access-control-expose-headers',
    )
    expect(exposed?.split(', ')).toEqual(expect.arrayContaining(['Idempotency-Replayed', 'Retry-After']))
  })

  it('lets a page see replies, also refusals, and their fields', async () => {
    const bench = await start({
      policies: [cors({ origins: [app], credentials: true, exposedHeaders: ['RateLimit'] })],
    })
    const expected = {
      'access-control-allow-origin': app,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'RateLimit',
    }
    const ask = (path: string) => bench.fetch(path, { headers: { origin: app } })
    const [good, refused, broken] = [await ask('/pub/notes'), await ask('/mine'), await ask('/pub/notes/1')]
    expect([good.status, said(good)]).toEqual([200, expected])
    expect([refused.status, said(refused)]).toEqual([401, expected])
    expect([broken.status, said(broken)]).toEqual([200, expected])
  })

  it('replaces what a service says about origins', async () => {
    const bench = await startBench(
      () => ({
        ok: true,
        status: 200,
        body: { kind: 'empty' },
        headers: { 'access-control-allow-origin': '*', 'x-own': '1' },
      }),
      { policies: [cors({ origins: [app] })] },
    )
    benches.push(bench)
    const reply = await bench.fetch('/pub/notes', { headers: { origin: app } })
    expect([reply.headers.get('access-control-allow-origin'), reply.headers.get('x-own')]).toEqual([app, '1'])
  })

  it("of a route holds instead of the gateway's", async () => {
    const bench = await start({
      policies: [cors({ origins: [app] })],
      routes: [
        expose(notes, { only: ['list'] }),
        expose(notes, { except: ['list'], policies: [cors({ origins: '*', headers: '*', maxAgeMs: 0 })] }),
      ],
    })
    expect(said(await bench.fetch('/pub/notes', { headers: { origin: 'https://b.example' } }))).toEqual({})
    const reply = await bench.fetch(
      '/mine',
      preflight('GET', 'https://b.example', { 'access-control-request-headers': 'x-any, x-other' }),
    )
    expect(said(reply)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': 'x-any, x-other',
      'access-control-max-age': '0',
    })
  })

  it('does not keep a limit before authentication from counting preflights', async () => {
    const bench = await start({
      policies: [
        cors({ origins: [app] }),
        rateLimit({ per: 'ip', allow: 1, windowMs: 86_400_000, before: 'authentication' }),
      ],
    })
    expect((await bench.fetch('/mine', preflight('GET'))).status).toBe(204)
    expect((await bench.fetch('/mine', preflight('GET'))).status).toBe(429)
  })

  it('leaves OPTIONS that is no preflight as it is', async () => {
    const bench = await start({ policies: [cors({ origins: [app] })] })
    const reply = await bench.fetch('/pub/notes', { method: 'OPTIONS' })
    expect([reply.status, reply.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
  })

  it('without the policy answers a preflight with nothing', async () => {
    const bench = await start()
    const reply = await bench.fetch('/mine', preflight('GET'))
    expect([reply.status, said(reply)]).toEqual([204, {}])
  })

  it.each([
    [{ origins: '*', credentials: true }, /credentials for every origin/],
    [{ origins: ['app.example.com'] }, /no origin/],
    [{ origins: ['https://app.example.com/'] }, /no origin/],
    [{ origins: ['https://App.example.com'] }, /no origin/],
    [{ origins: ['*'] }, /no origin/],
    [{ origins: ['null'] }, /no origin/],
    [{ origins: ['https://*.*.example.com'] }, /no origin/],
    [{ origins: [app], headers: ['X-A\r\nX-B'] }, /no header field/],
    [{ origins: [app], maxAgeMs: -1 }, /maxAgeMs/],
  ] as const)('is refused as %j', (options, message) => {
    expect(() => cors(options)).toThrow(message)
  })
})

describe('an origin', () => {
  const allows = originRule([app, 'https://*.example.org', 'http://localhost:3000'])
  it.each([
    [app, true],
    ['https://a.example.org', true],
    ['http://localhost:3000', true],
    ['https://example.org', false],
    ['https://a.b.example.org', false],
    ['https://*.example.org.evil.test', false],
    ['https://a.example.org.evil.test', false],
    ['https://evil.test/.example.org', false],
    ['http://a.example.org', false],
    ['http://app.example.com', false],
    ['https://app.example.com:8443', false],
    ['http://localhost:3001', false],
    ['null', false],
    ['', false],
  ])('%s: %s', (origin, allowed) => {
    expect(allows(origin)).toBe(allowed)
  })
})

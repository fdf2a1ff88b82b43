import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anyone, scopes } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { type RawReply, rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream, type UpstreamOptions } from '../upstream/upstream.ts'
import { combine } from './combine.ts'

const json = (text: string, headers = '', status?: string) =>
  rawReply(text, `Content-Type: application/json\r\n${headers}`, status)
const pattern = '/users/{id}/home'
const ada: RawReply = () => json('{ "name": "Ada" }')
const orders: RawReply = () => json('[1, 2]')

describe('a reply that is put together from upstreams', () => {
  let users: RecordingUpstream
  let shop: RecordingUpstream
  let bench: Bench
  const fromUsers = (more: UpstreamOptions = {}) =>
    upstream(pattern, [users.url], { access: anyone(), rewrite: '/v1/{id}', pool: 'users', retries: 0, ...more })
  const fromShop = (more: UpstreamOptions = {}) =>
    upstream(pattern, [shop.url], {
      access: anyone(),
      rewrite: '/orders/{id}',
      retries: 0,
      timeoutMs: 200,
      resilience: { ejection: false, breaker: false },
      ...more,
    })

  beforeAll(async () => {
    users = await recordingUpstream()
    shop = await recordingUpstream()
    const part = { upstream: fromUsers() }
    bench = await startBench(undefined, {
      routes: [
        combine(
          pattern,
          { user: part, orders: { upstream: fromShop(), optional: true, query: ['limit'] } },
          { access: anyone(), timeoutMs: 5_000, partMaxBytes: 1_000 },
        ),
        combine(
          '/secret',
          {
            open: { upstream: upstream('/secret', [users.url], { access: anyone() }) },
            closed: { upstream: upstream('/secret', [shop.url], { access: scopes('admin') }), optional: true },
          },
          { access: anyone() },
        ),
        combine(
          '/barred',
          {
            open: { upstream: upstream('/barred', [users.url], { access: anyone() }) },
            closed: { upstream: upstream('/barred', [shop.url], { access: scopes('admin') }) },
          },
          { access: anyone() },
        ),
        upstream('/direct', [users.url], { access: anyone(), rewrite: '/v1/x', pool: 'users', retries: 0 }),
      ],
    })
  })
  beforeEach(() => {
    users.clear()
    shop.clear()
    users.reply = ada
    shop.reply = orders
  })
  afterAll(async () => {
    await bench.stop()
    await bench.gateway.close()
    await users.stop()
    await shop.stop()
  })
  const ask = (path = '/users/7/home', headers: Record<string, string> = {}) => bench.fetch(path, { headers })

  it('holds the JSON of each as it was written, and asks with the fields and the parameters that are named', async () => {
    const reply = await ask('/users/a%20b/home?limit=3&x=y&limit=4', {
      Range: 'bytes=0-1',
      'If-None-Match': '"1"',
      'X-Mine': 'yes',
    })
    expect([reply.status, await reply.text()]).toEqual([200, '{"user":{ "name": "Ada" },"orders":[1, 2]}'])
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(reply.headers.get('trestle-partial')).toBeNull()
    expect(users.requests[0]).toMatch(/^GET \/v1\/a%20b HTTP/)
    expect(shop.requests[0]).toMatch(/^GET \/orders\/a%20b\?limit=3&limit=4 HTTP/)
    expect(users.requests[0]).toMatch(/\r\nx-mine: yes\r\n/)
    expect(users.requests[0]).not.toMatch(/\r\n(?:range|if-none-match|accept-encoding):/i)
  })

  it.each([
    ['an error', () => json('{}', '', '500 Internal Server Error'), 'bad_gateway'],
    ['nothing of that name', () => json('{}', '', '404 Not Found'), 'not_found'],
    ['what is no JSON', () => json('1},"user":{"name":"Eve"'), 'bad_gateway'],
    ['another type', () => rawReply('[]', 'Content-Type: text/html\r\n'), 'bad_gateway'],
    ['packed bytes, though nobody asked for them', () => json('[]', 'Content-Encoding: gzip\r\n'), 'bad_gateway'],
    ['too much', () => json(`"${'x'.repeat(1_000)}"`), 'bad_gateway'],
    ['nothing in time', () => undefined, 'deadline_exceeded'],
    [
      'a head in time, and no body',
      () => 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[',
      'deadline_exceeded',
    ],
  ] satisfies [string, RawReply, string][])('is null where an optional one answers %s', async (_, answer, code) => {
    shop.reply = answer
    const reply = await ask()
    expect([reply.status, reply.headers.get('trestle-partial')]).toEqual([200, 'orders'])
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(await reply.json()).toEqual({
      user: { name: 'Ada' },
      orders: null,
      partial: [{ part: 'orders', problem: expect.objectContaining({ code, instance: 'orders' }) }],
    })
  })

  it('is the problem of a required one that fails, at once', async () => {
    users.reply = () => json('{}', '', '404 Not Found')
    shop.reply = () => undefined
    const reply = await ask()
    expect([reply.status, await reply.json()]).toMatchObject([404, { code: 'not_found', instance: 'user' }])
    await expect.poll(() => shop.sockets.size).toBe(0)
  })

  it('may not be stored where one of them may not be', async () => {
    shop.reply = () => json('[]', 'Cache-Control: private\r\n')
    expect((await ask()).headers.get('cache-control')).toBe('no-store')
  })

  it("asks nobody whom the caller may not ask: each part's own access holds", async () => {
    users.reply = () => json('1')
    const reply = await ask('/secret')
    expect(await reply.json()).toMatchObject({
      open: 1,
      closed: null,
      partial: [{ problem: { code: 'unauthenticated' } }],
    })
    expect(shop.requests).toEqual([])
    users.clear()
    expect((await ask('/barred')).status).toBe(401)
    expect([users.requests, shop.requests]).toEqual([[], []])
  })

  it('shares a pool with other routes', async () => {
    await (await ask()).text()
    await (await bench.fetch('/direct')).text()
    const pools = bench.gateway.upstreams().filter(({ name }) => name === 'users')
    expect(pools).toHaveLength(1)
    expect(pools[0]?.members[0]?.requests).toBeGreaterThanOrEqual(2)
    expect(bench.gateway.routes()).toContainEqual(expect.objectContaining({ path: pattern, target: 'aggregate' }))
  })

  it('is refused when it cannot be', () => {
    const part = { upstream: fromUsers() }
    expect(() => combine(pattern, {})).toThrow(`combine(${pattern}): it has no parts`)
    expect(() => combine(pattern, { partial: part })).toThrow('no part can be called partial')
    expect(() => combine('/other', { user: part })).toThrow(`user has the pattern ${pattern}`)
    expect(() => combine(pattern, { user: part }, { timeoutMs: 0 })).toThrow('timeoutMs is a whole number from 1')
    const described = { upstream: fromUsers({ openapi: new URL('file:///x.yaml') }) }
    expect(() => combine(pattern, { user: described })).toThrow('user has a document')
  })
})

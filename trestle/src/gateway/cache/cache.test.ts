import { afterEach, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { cache, type CacheOptions, upstream } from '../index.ts'
import { type RawReply, rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

interface Started {
  readonly bench: Bench
  readonly behind: RecordingUpstream
  readonly clock: ReturnType<typeof virtualClock>
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Seen>
}
interface Seen {
  readonly status: number
  readonly body: string
  readonly how: string | null
  readonly headers: Headers
}

/** A gateway with a cache in front of an upstream that numbers its replies. */
async function start(headers: string | RawReply, options: CacheOptions = {}): Promise<Started> {
  const clock = virtualClock()
  const reply: RawReply = typeof headers === 'function' ? headers : ({ number }) => rawReply(`reply ${number}`, headers)
  const behind = await recordingUpstream(reply)
  closers.push(() => behind.stop())
  const bench = await startBench(undefined, {
    routes: [upstream('/*', [behind.url], { access: anyone() })],
    policies: [cache(options)],
    deps: { clock },
  })
  closers.push(
    () => bench.stop(),
    () => bench.gateway.close(),
  )
  const get = async (path: string, sent: Record<string, string> = {}): Promise<Seen> => {
    const {
      status,
      headers: fields,
      ...rest
    } = await bench.fetch(path, { headers: sent }).then(async (response) => ({
      status: response.status,
      headers: response.headers,
      body: await response.text(),
    }))
    return { status, headers: fields, how: fields.get('cache-status'), ...rest }
  }
  return { bench, behind, clock, get }
}

const as = (user: string) => ({ authorization: `Bearer ${user}` })
const minute = 'Cache-Control: max-age=60\r\n'

/** Lets time pass while an upstream is tried again. */
async function passing<T>(clock: Started['clock'], outcome: Promise<T>): Promise<T> {
  const state = { over: false }
  const settled = outcome.finally(() => {
    state.over = true
  })
  for (let step = 0; step < 1_000 && !state.over; step += 1) await clock.advance(5)
  return await settled
}

describe('a cache', () => {
  it('gives a fresh reply again, with its age, and asks anew when it is stale', async () => {
    const { get, clock, behind } = await start(minute)
    expect(await get('/a')).toMatchObject({ body: 'reply 0', how: 'trestle; fwd=miss' })
    await clock.advance(59_000)
    const hit = await get('/a')
    expect(hit).toMatchObject({ status: 200, body: 'reply 0', how: 'trestle; hit; ttl=1' })
    expect(hit.headers.get('age')).toBe('59')
    await clock.advance(1_000)
    expect((await get('/a')).body).toBe('reply 1')
    expect(behind.requests).toHaveLength(2)
  })

  it('counts the age that a reply brings, and prefers what is said to shared caches', async () => {
    const { get, clock } = await start('Cache-Control: max-age=600, s-maxage=60\r\nAge: 50\r\n')
    await get('/a')
    await clock.advance(9_000)
    expect((await get('/a')).headers.get('age')).toBe('59')
    await clock.advance(1_000)
    expect((await get('/a')).body).toBe('reply 1')
  })

  it.each([
    ['nothing about it', ''],
    ['no-store', 'Cache-Control: max-age=60, no-store\r\n'],
    ['private', 'Cache-Control: private, max-age=60\r\n'],
    ['a cookie for one client', `${minute}Set-Cookie: a=b\r\n`],
    ['that it varies by everything', `${minute}Vary: Accept, *\r\n`],
    ['an age that it has not', 'Cache-Control: max-age=sixty\r\n'],
    ['two ages, one of them none', 'Cache-Control: max-age=60\r\nCache-Control: max-age=0\r\n'],
  ])('does not store a reply that says %s', async (_, headers) => {
    const { get } = await start(headers)
    expect([(await get('/a')).body, (await get('/a')).body]).toEqual(['reply 0', 'reply 1'])
  })

  it.each([206, 302, 400, 404, 500])(
    'does not store a %d by default, though it stores what says nothing',
    async (status) => {
      const { get } = await start(({ number }) => rawReply(`reply ${number}`, '', `${status} X`), { ttlMs: 60_000 })
      await get('/a').catch(() => undefined)
      expect((await get('/a').catch(() => ({ how: 'redirected' }))).how).not.toContain('hit')
    },
  )

  it('keeps replies apart by what they are negotiated by, and by the fields that were named', async () => {
    const { get } = await start(minute, { vary: ['X-Tenant'] })
    expect((await get('/a', { accept: 'text/html' })).body).toBe('reply 0')
    expect((await get('/a', { accept: 'text/plain' })).body).toBe('reply 1')
    expect((await get('/a', { accept: 'text/html', 'x-tenant': 'a' })).body).toBe('reply 2')
    expect((await get('/a', { accept: 'text/html', 'x-tenant': 'b' })).body).toBe('reply 3')
    expect((await get('/a', { accept: 'text/html', 'x-tenant': 'a' })).body).toBe('reply 2')
    expect((await get('/a?x=1', { accept: 'text/html' })).body).toBe('reply 4')
  })

  it('is passed by where a request has a field that is not in the key, and says which', async () => {
    const { get } = await start(minute)
    expect((await get('/a', { 'x-flavour': 'sweet' })).how).toBe('trestle; fwd=bypass; detail="x-flavour"')
    expect((await get('/a', { cookie: 'session=1' })).how).toBe('trestle; fwd=bypass; detail="cookie"')
    expect((await get('/a', { range: 'bytes=0-1' })).how).toContain('bypass')
    expect((await get('/a')).body).toBe('reply 3')
  })

  it('is not for those who are authenticated, unless that is allowed, and then for each apart', async () => {
    const closed = await start('Cache-Control: public, max-age=60\r\n')
    expect([(await closed.get('/a', as('ann'))).body, (await closed.get('/a', as('ann'))).body]).toEqual([
      'reply 0',
      'reply 1',
    ])
    expect((await closed.get('/a')).body).toBe('reply 2')
    const open = await start(minute, { allowAuthorization: true })
    const bodies = []
    for (const who of [as('ann'), as('bob'), {}, as('ann'), as('ann:admin')])
      bodies.push((await open.get('/a', who)).body)
    expect(bodies).toEqual(['reply 0', 'reply 1', 'reply 2', 'reply 0', 'reply 3'])
  })

  it('answers 304 to a client that has the reply', async () => {
    const { get, behind } = await start(`${minute}ETag: "v1"\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n`)
    await get('/a')
    const tags: [Record<string, string>, number][] = [
      [{ 'if-none-match': '"v1"' }, 304],
      [{ 'if-none-match': 'W/"v0", W/"v1"' }, 304],
      [{ 'if-none-match': '"v2"' }, 200],
      [{ 'if-none-match': '"v2"', 'if-modified-since': 'Tue, 01 Jan 2030 00:00:00 GMT' }, 200],
      [{ 'if-modified-since': 'Tue, 01 Jan 2030 00:00:00 GMT' }, 304],
      [{ 'if-modified-since': 'Mon, 31 Dec 2029 23:59:59 GMT' }, 200],
    ]
    // Without it `fetch` asks for a new one.
    const any = { 'cache-control': 'max-age=60' }
    for (const [headers, status] of tags) {
      expect([headers, (await get('/a', { ...headers, ...any })).status]).toEqual([headers, status])
    }
    expect((await get('/a', { 'if-none-match': '"v1"', ...any })).headers.get('etag')).toBe('"v1"')
    expect(behind.requests).toHaveLength(1)
  })

  it('asks whether a stale reply still holds, and shows it again when it does', async () => {
    const { get, clock, behind } = await start(({ text, number }) =>
      text.includes('if-none-match: "v1"')
        ? 'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=30\r\nETag: "v1"\r\nX-New: yes\r\n\r\n'
        : rawReply(`reply ${number}`, `${minute}ETag: "v1"\r\n`),
    )
    await get('/a')
    await clock.advance(60_000)
    const again = await get('/a')
    expect(again).toMatchObject({ status: 200, body: 'reply 0' })
    expect(again.headers.get('x-new')).toBe('yes')
    await clock.advance(29_000)
    expect((await get('/a')).how).toBe('trestle; hit; ttl=1')
    expect(behind.requests).toHaveLength(2)
  })

  it('asks each time where it must', async () => {
    const { get, behind } = await start(`Cache-Control: no-cache, stale-while-revalidate=60\r\nETag: "v1"\r\n`)
    await get('/a')
    await get('/a')
    expect(behind.requests[1]).toContain('if-none-match: "v1"')
  })

  it('asks anew for a client that wants that', async () => {
    const { get, clock } = await start(minute)
    await get('/a')
    await clock.advance(5_000)
    expect((await get('/a', { 'cache-control': 'max-age=10' })).body).toBe('reply 0')
    expect((await get('/a', { 'cache-control': 'max-age=4' })).body).toBe('reply 1')
    expect((await get('/a', { 'cache-control': 'no-cache' })).body).toBe('reply 2')
    expect((await get('/a')).body).toBe('reply 2')
  })

  it('shows a stale reply while it fetches a new one', async () => {
    const { get, clock, behind } = await start('Cache-Control: max-age=60, stale-while-revalidate=30\r\n')
    await get('/a')
    await clock.advance(70_000)
    expect(await get('/a')).toMatchObject({ body: 'reply 0', how: 'trestle; hit; ttl=-10; detail=stale' })
    await expect.poll(() => behind.requests.length).toBe(2)
    await expect.poll(async () => (await get('/a')).body).toBe('reply 1')
    await clock.advance(90_000)
    expect((await get('/a')).body).toBe('reply 2')
  })

  it('shows a stale reply when a new one cannot be had, for as long as that is allowed', async () => {
    let fails = false
    const { get, clock, behind } = await start(
      ({ number }) => (fails ? rawReply('broken', '', '503 X') : rawReply(`reply ${number}`, minute)),
      { staleIfErrorMs: 30_000 },
    )
    await get('/a')
    fails = true
    await clock.advance(65_000)
    expect(await passing(clock, get('/a'))).toMatchObject({ status: 200, body: 'reply 0' })
    await behind.stop()
    expect(await passing(clock, get('/a'))).toMatchObject({ status: 200, body: 'reply 0' })
    await clock.advance(25_000)
    expect((await passing(clock, get('/a'))).status).toBeGreaterThanOrEqual(500)
  })

  it('does not show a stale reply that says that it must not be', async () => {
    let fails = false
    const { get, clock } = await start(
      () =>
        fails ? rawReply('broken', '', '503 X') : rawReply('good', 'Cache-Control: max-age=60, must-revalidate\r\n'),
      { staleIfErrorMs: 60_000, staleWhileRevalidateMs: 60_000 },
    )
    await get('/a')
    fails = true
    await clock.advance(61_000)
    expect((await passing(clock, get('/a'))).status).toBe(503)
  })

  it('asks once for all who ask at the same time', async () => {
    const waiting: (() => void)[] = []
    const { get, behind } = await start(({ number, socket }) => {
      waiting.push(() => socket.write(rawReply(`reply ${number}`, minute)))
      return undefined
    })
    const asked = Array.from({ length: 20 }, () => get('/a'))
    await expect.poll(() => waiting.length).toBe(1)
    waiting[0]?.()
    expect(new Set((await Promise.all(asked)).map(({ body }) => body))).toEqual(new Set(['reply 0']))
    expect(behind.requests).toHaveLength(1)
  })

  it('lets everybody ask by themselves where the reply is not for sharing', async () => {
    const { get, behind } = await start('Cache-Control: private\r\n')
    const seen = await Promise.all(Array.from({ length: 5 }, () => get('/a')))
    expect(new Set(seen.map(({ body }) => body)).size).toBe(5)
    expect(behind.requests).toHaveLength(5)
  })

  it('is not stopped by the client who asked first and went away', async () => {
    const waiting: (() => void)[] = []
    const { bench, get } = await start(({ number, socket }) => {
      waiting.push(() => socket.write(rawReply(`reply ${number}`, minute)))
      return undefined
    })
    const gone = new AbortController()
    const first = bench.fetch('/a', { signal: gone.signal }).catch(() => 'gone')
    await expect.poll(() => waiting.length).toBe(1)
    const second = get('/a')
    gone.abort()
    expect(await first).toBe('gone')
    waiting[0]?.()
    expect((await second).body).toBe('reply 0')
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'forgets a path that %s may have changed, with every query',
    async (method) => {
      const { bench, get } = await start(minute)
      for (const path of ['/a', '/a?page=2', '/b']) await get(path)
      expect((await bench.fetch('/a', { method })).status).toBe(200)
      expect([(await get('/a')).body, (await get('/a?page=2')).body, (await get('/b')).body]).toEqual([
        'reply 4',
        'reply 5',
        'reply 2',
      ])
    },
  )

  it('forgets also what a change names as its place, and nothing when it was refused', async () => {
    let status = '409 Conflict'
    const { bench, get } = await start(({ text, number }) =>
      text.startsWith('POST')
        ? rawReply('', 'Location: /items/../b?x\r\n', status)
        : rawReply(`reply ${number}`, minute),
    )
    await get('/b')
    await bench.fetch('/a', { method: 'POST' })
    expect((await get('/b')).how).toContain('hit')
    status = '201 Created'
    await bench.fetch('/a', { method: 'POST' })
    expect((await get('/b')).how).toContain('miss')
  })

  it('does not store what was on its way while its path was changed', async () => {
    const waiting: (() => void)[] = []
    const { bench, get } = await start(({ text, number, socket }) => {
      if (text.startsWith('POST')) return rawReply('changed')
      waiting.push(() => socket.write(rawReply(`reply ${number}`, minute)))
      return undefined
    })
    const before = get('/a')
    await expect.poll(() => waiting.length).toBe(1)
    await bench.fetch('/a', { method: 'POST' })
    const after = get('/a')
    await expect.poll(() => waiting.length).toBe(2)
    waiting[1]?.()
    expect((await after).body).toBe('reply 2')
    waiting[0]?.()
    expect((await before).body).toBe('reply 0')
    expect((await get('/a')).body).toBe('reply 2')
  })

  it('answers HEAD from what GET stored', async () => {
    const { bench, get, behind } = await start(minute)
    await get('/a')
    const head = await bench.fetch('/a', { method: 'HEAD' })
    expect([head.headers.get('cache-status'), head.headers.get('content-length'), await head.text()]).toEqual([
      'trestle; hit; ttl=60',
      '7',
      '',
    ])
    expect(behind.requests).toHaveLength(1)
  })

  it('passes on what is too long, whole, and forgets what was used longest ago', async () => {
    const { get } = await start(
      ({ text, number }) => rawReply(text.startsWith('GET /long') ? 'x'.repeat(5_000) : `reply ${number}`, minute),
      { maxEntryBytes: 4_000, maxBytes: 4_000 },
    )
    expect((await get('/long')).body).toHaveLength(5_000)
    expect((await get('/long')).how).toContain('miss')
    for (const path of ['/a', '/b', '/c']) await get(path)
    expect((await get('/a')).how).toContain('hit')
    for (const path of ['/d', '/e', '/f']) await get(path)
    expect((await get('/b')).how).toContain('miss')
  })

  it.each([
    { maxBytes: 0 },
    { maxBytes: 10, maxEntryBytes: 11 },
    { ttlMs: -1 },
    { vary: ['a b'] },
    { staleIfErrorMs: Number.NaN },
  ])('is refused as %j', (options) => {
    expect(() => cache(options)).toThrow(TypeError)
  })
})

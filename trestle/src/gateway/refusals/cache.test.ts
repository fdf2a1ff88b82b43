import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { cache, upstream } from '../index.ts'
import { rawReply, type RecordingUpstream, recordingUpstream } from './recording-upstream.ts'

describe('a gateway with a cache', () => {
  let behind: RecordingUpstream
  let bench: Bench
  beforeAll(async () => {
    // Says whatever it was told, and lets everybody store it.
    behind = await recordingUpstream(({ text }) => rawReply(text, 'Cache-Control: public, max-age=600\r\n'))
    bench = await startBench(undefined, {
      routes: [upstream('/pub/*', [behind.url], { access: anyone(), allowInPath: ['%2F', '//', ';'] })],
      policies: [cache({ vary: ['x-a', 'x-b'] })],
    })
  })
  afterAll(async () => {
    await bench.stop()
    await bench.gateway.close()
    await behind.stop()
  })
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const reply = await bench.fetch(path, { headers })
    return { how: reply.headers.get('cache-status') ?? '', body: await reply.text() }
  }

  const raw = (path: string, headers: string) =>
    bench.raw(`GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`)

  it('case 15: keys that would join to the same string are different', async () => {
    const requests: [string, Record<string, string>?][] = [
      ['/pub/a?b=c'],
      ['/pub/a%3Fb=c'],
      ['/pub/a?b=c&'],
      ['/pub/a/b'],
      ['/pub/a%2Fb'],
      ['/pub/a//b'],
      ['/pub/a', { 'x-a': '1', 'x-b': '2' }],
      ['/pub/a', { 'x-a': '12' }],
      ['/pub/a', { 'x-b': '12' }],
      ['/pub/a', { 'x-a': '1,2' }],
      ['/pub/a', { 'x-a': '1","2' }],
      ['/pub/a', { 'x-a': '["1"],["2"]' }],
      ['/pub/a?["x"]'],
      ['/pub/a', { accept: 'a', 'accept-language': 'b' }],
      ['/pub/a', { accept: 'ab' }],
      ['/pub/a', { accept: 'a, b' }],
      ['/pub/a', { accept: 'a', 'accept-language': 'b', 'x-a': '' }],
    ]
    behind.clear()
    const first = []
    for (const [path, headers] of requests) first.push(await get(path, headers))
    expect(first.map(({ how }) => how)).toEqual(requests.map(() => 'trestle; fwd=miss'))
    for (const [at, [path, headers]] of requests.entries()) {
      const again = await get(path, headers)
      expect([path, headers, again.how, again.body]).toEqual([
        path,
        headers,
        expect.stringContaining('hit'),
        first[at]?.body,
      ])
    }
    expect(behind.requests).toHaveLength(requests.length)
  })

  it('case 15: two fields of one name are not one field with a comma', async () => {
    expect(await raw('/pub/lists', 'Host: a\r\nX-A: 1\r\nX-A: 2\r\n')).toContain('fwd=miss')
    expect(await raw('/pub/lists', 'Host: a\r\nX-A: 1, 2\r\n')).toContain('fwd=miss')
    expect(await raw('/pub/lists', 'Host: a\r\nX-A: 1\r\nX-A: 2\r\n')).toContain('trestle; hit')
  })

  it.each([
    ['X-Forwarded-Host', 'evil.test'],
    ['X-Forwarded-Scheme', 'http'],
    ['X-Forwarded-Port', '1'],
    ['X-Host', 'evil.test'],
    ['X-Original-URL', '/admin'],
    ['X-Rewrite-URL', '/admin'],
    ['X-HTTP-Method-Override', 'POST'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['Forwarded', 'host=evil.test'],
    ['User-Agent', 'poison'],
    ['Referer', 'https://evil.test/'],
    ['X-Anything', 'poison'],
    ['Cookie', 'admin=poison'],
    ['traceparent', `00-${'e'.repeat(32)}-${'e'.repeat(16)}-01`],
  ])('case 21: what %s says never gets into what others are shown', async (name, value) => {
    const path = `/pub/poison-${name.toLowerCase()}`
    await get(path, { [name]: value })
    const victim = await get(path)
    const [line] = victim.body.split('\r\n')
    expect(line).toBe(`GET ${path} HTTP/1.1`)
    const marker = name === 'traceparent' ? 'e'.repeat(16) : value
    const fields = victim.body
      .split('\r\n')
      .slice(1)
      .filter((field) => !/^(?:host|x-forwarded-|traceparent)/i.test(field))
    expect(fields.filter((field) => field.includes(marker) && marker.length > 4)).toEqual([])
    expect(victim.body.toLowerCase()).not.toContain('evil.test')
    expect(victim.body).not.toContain('poison"')
    // Nor does the victim of a second attempt see it, now that something is stored.
    await get(path, { [name]: value })
    expect((await get(path)).body).toBe((await get(path)).body)
  })

  it('case 21: another host or port in Host has a reply of its own', async () => {
    expect(await raw('/pub/host', 'Host: a.test\r\n')).toContain('fwd=miss')
    expect(await raw('/pub/host', 'Host: a.test:1337\r\n')).toContain('fwd=miss')
    expect(await raw('/pub/host', 'Host: b.test\r\n')).toContain('fwd=miss')
    const again = await raw('/pub/host', 'Host: A.test\r\n')
    expect(again).toContain('trestle; hit')
    expect(again).not.toContain('1337')
  })

  it('case 21: a GET with a body is neither stored nor answered from what is', async () => {
    const poison = 'GET /pub/fat HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\npoison'
    expect(await bench.raw(poison)).toContain('fwd=bypass')
    expect(await bench.raw('GET /pub/fat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('fwd=miss')
  })

  it('case 21: cache deception: a page of one caller that looks like a file is shown to nobody else', async () => {
    const ann = { authorization: 'Bearer ann' }
    for (const path of ['/pub/me/x.css', '/pub/me;x.css', '/pub/me%2Fx.css', '/pub/me?x.css']) {
      expect((await get(path, ann)).body).toContain('ann')
      expect((await get(path, { cookie: 'session=ann' })).how).toContain('bypass')
      const nobody = await get(path)
      expect([path, nobody.how, nobody.body.includes('ann')]).toEqual([path, 'trestle; fwd=miss', false])
      expect((await get(path, { authorization: 'Bearer bob' })).body).not.toContain('ann')
    }
  })
})

describe('a gateway with a cache behind a proxy', () => {
  it('case 21: a reply of one host is not shown at another one that the proxy only heard of', async () => {
    const [good, evil] = await Promise.all(
      ['good', 'evil'].map((who) => recordingUpstream(() => rawReply(who, 'Cache-Control: public, max-age=600\r\n'))),
    )
    const bench = await startBench(undefined, {
      trustedProxies: ['127.0.0.1'],
      hosts: ['good.test', 'evil.test'],
      routes: [
        upstream('/a', [good?.url ?? ''], { access: anyone(), hosts: ['good.test'] }),
        upstream('/a', [evil?.url ?? ''], { access: anyone(), hosts: ['evil.test'] }),
      ],
      policies: [cache()],
    })
    const ask = (host: string) =>
      bench.raw(`GET /a HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: good.test\r\nConnection: close\r\n\r\n`)
    expect(await ask('evil.test')).toMatch(/evil$/)
    expect(await ask('good.test')).toMatch(/good$/)
    await bench.stop()
    await bench.gateway.close()
    await good?.stop()
    await evil?.stop()
  })
})

import { describe, expect, it } from 'vitest'
import { anyone, signedIn } from '../../contract/index.ts'
import { rawClient, rawExchange, statusesOf } from '../../http/raw-client.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { redirect } from '../redirect.ts'
import { type RawReply, rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream, type UpstreamOptions } from './upstream.ts'

interface Proxied extends AsyncDisposable {
  readonly server: RecordingUpstream
  readonly bench: Bench
}

const open = { access: anyone() }

/** A gateway before one recording server. */
async function proxied(options: UpstreamOptions = {}, reply?: RawReply, pattern = '/legacy/*'): Promise<Proxied> {
  const server = await recordingUpstream(reply)
  const bench = await startBench(undefined, { routes: [upstream(pattern, [server.url], { ...open, ...options })] })
  return { server, bench, [Symbol.asyncDispose]: () => stop(bench, server) }
}

async function stop(bench: Bench, ...servers: readonly RecordingUpstream[]) {
  await bench.stop()
  await bench.gateway.close()
  await Promise.all(servers.map((server) => server.stop()))
}

async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 5_000
  while (!holds()) {
    if (performance.now() > until) throw new Error('waited in vain')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const fieldOf = (request: string | undefined, name: string) =>
  new RegExp(`^${name}: (.*)\r$`, 'im').exec(request ?? '')?.[1]
const problemOf = async (reply: Response) => [reply.status, ((await reply.json()) as { code: string }).code]

describe('an upstream gets', () => {
  it.each<[string, UpstreamOptions, string, string, string]>([
    ['the path as it is', {}, '/legacy/*', '/legacy/a/b?c=%20d', '/legacy/a/b?c=%20d'],
    ['the path without its prefix', { stripPrefix: '/legacy' }, '/legacy/*', '/legacy/a/b?c', '/a/b?c'],
    ['a path below another prefix', { stripPrefix: '/legacy', addPrefix: '/v2' }, '/legacy/*', '/legacy/a', '/v2/a'],
    [
      'a path made of fields',
      { rewrite: '/i/{id}/of/{shop}' },
      '/s/{shop}/{id}',
      '/s/a%20b/%C3%A9',
      '/i/%C3%A9/of/a%20b',
    ],
    ['the rest under another path', { rewrite: '/new/*' }, '/legacy/*', '/legacy/a/b', '/new/a/b'],
  ])('%s', async (_what, options, pattern, path, expected) => {
    await using at = await proxied(options, undefined, pattern)
    expect((await at.bench.fetch(path)).status).toBe(200)
    expect(at.server.requests[0]?.split(' ')[1]).toBe(expected)
  })

  it("its own host, or the client's where that is asked", async () => {
    await using target = await proxied()
    await using kept = await proxied({ host: 'keep' })
    await target.bench.fetch('/legacy/a')
    await kept.bench.fetch('/legacy/a')
    expect(fieldOf(target.server.requests[0], 'host')).toBe(`127.0.0.1:${target.server.port}`)
    expect(fieldOf(kept.server.requests[0], 'host')).toBe(`127.0.0.1:${kept.bench.port}`)
  })

  it('request id, trace, origin and what is left of the time, as the gateway knows them', async () => {
    await using at = await proxied({ timeoutMs: 5_000 })
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const reply = await at.bench.fetch('/legacy/a', { headers: { traceparent: trace, 'trestle-timeout-ms': '9' } })
    const sent = at.server.requests[0]
    expect(fieldOf(sent, 'x-request-id')).toBe(reply.headers.get('x-request-id'))
    expect(fieldOf(sent, 'traceparent')).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)/)
    expect(fieldOf(sent, 'x-forwarded-for')).toBe('127.0.0.1')
    expect(fieldOf(sent, 'x-forwarded-proto')).toBe('http')
    expect(fieldOf(sent, 'x-forwarded-host')).toBe(`127.0.0.1:${at.bench.port}`)
    const leftMs = Number(fieldOf(sent, 'trestle-timeout-ms'))
    expect(leftMs).toBeGreaterThan(4_000)
    expect(leftMs).toBeLessThanOrEqual(5_000)
  })

  it('nothing of who asks, unless it is to know; and that in a form nobody can break out of', async () => {
    await using silent = await proxied()
    await using told = await proxied({ identity: true })
    const headers = { authorization: 'Bearer al%ice:read,write', 'trestle-caller-id': 'root' }
    await silent.bench.fetch('/legacy/a', { headers })
    await told.bench.fetch('/legacy/a', { headers })
    expect(silent.server.requests[0]).not.toMatch(/trestle-caller/i)
    expect(fieldOf(told.server.requests[0], 'trestle-caller-kind')).toBe('user')
    expect(fieldOf(told.server.requests[0], 'trestle-caller-id')).toBe('al%25ice')
    expect(fieldOf(told.server.requests[0], 'trestle-caller-scopes')).toBe('read write')
    expect(told.server.requests[0]?.match(/trestle-caller-id/gi)).toHaveLength(1)
  })

  it('fields that are set, and none that are removed; so does the client', async () => {
    await using at = await proxied(
      {
        headers: {
          request: { set: { 'X-Api': 'k1' }, remove: ['Cookie'] },
          response: { set: { 'X-Frame-Options': 'DENY' }, remove: ['Server'] },
        },
      },
      () => rawReply('', 'Server: old\r\nX-Frame-Options: ALLOW\r\nX-Powered-By: y\r\n'),
    )
    const reply = await at.bench.fetch('/legacy/a', { headers: { 'x-api': 'mine', cookie: 'a=b' } })
    expect(at.server.requests[0]?.match(/^x-api: .*/gim)).toEqual(['X-Api: k1'])
    expect(fieldOf(at.server.requests[0], 'cookie')).toBeUndefined()
    expect([reply.headers.get('x-frame-options'), reply.headers.get('server')]).toEqual(['DENY', null])
    expect(reply.headers.get('x-powered-by')).toBe('y')
  })

  it('a body as it comes, with its length or in chunks, and small ones whole', async () => {
    await using at = await proxied()
    const head = `Host: a\r\nConnection: close\r\n`
    await rawExchange(at.bench.port, `POST /legacy/a HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\nhello`)
    await rawExchange(
      at.bench.port,
      `POST /legacy/a HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n`,
    )
    await rawExchange(at.bench.port, `PUT /legacy/a HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\nhello`)
    const [length, chunks, put] = at.server.requests
    expect(length).toMatch(/content-length: 5\r\n\r\nhello$/)
    expect(chunks).toMatch(/transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/)
    expect(put).toMatch(/content-length: 5\r\n\r\nhello$/)
  })
})

describe('a client gets', () => {
  it('the reply as it is: status, fields that repeat, bytes', async () => {
    await using at = await proxied({}, () =>
      rawReply('h\xe9', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: b\r\n', '207 Multi'),
    )
    const reply = await at.bench.fetch('/legacy/a')
    expect(reply.status).toBe(207)
    expect(reply.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(Buffer.from('h\xe9', 'latin1'))
  })

  it('nothing that only the gateway may say, and nothing that was meant for one hop', async () => {
    await using at = await proxied({}, () =>
      rawReply(
        '',
        'X-Request-Id: evil\r\nTrestle-Trace-Id: evil\r\nTrestle-Partial: evil\r\nKeep-Alive: timeout=9\r\n' +
          'X-Hop: evil\r\nConnection: X-Hop\r\nProxy-Authenticate: evil\r\nTrailer: evil\r\nUpgrade: evil\r\n',
      ),
    )
    const got = await rawExchange(at.bench.port, 'GET /legacy/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(statusesOf(got)).toEqual([200])
    expect(got).not.toMatch(/evil|timeout=9/)
  })

  it('a body that streams, chunk by chunk as it comes', async () => {
    await using at = await proxied({}, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
      return undefined
    })
    const client = rawClient(at.bench.port)
    client.send('GET /legacy/a HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('first')
    const [socket] = at.server.sockets
    socket?.write('6\r\nsecond\r\n0\r\n\r\n')
    expect(await client.until('\r\n0\r\n\r\n')).toContain('5\r\nfirst\r\n6\r\nsecond\r\n')
    client.end()
  })

  it('the length of a body that streams, when the upstream said it', async () => {
    const body = 'x'.repeat(300_000)
    await using at = await proxied({}, () => rawReply(body))
    const reply = await at.bench.fetch('/legacy/a')
    expect(reply.headers.get('content-length')).toBe('300000')
    expect(await reply.text()).toBe(body)
  })

  it.each([
    ['HEAD', rawReply('', 'X-A: b\r\n').replace('Content-Length: 0', 'Content-Length: 9'), 200],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304],
    ['GET', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n', 204],
  ])('to %s %j a reply without a body, and the connection serves on', async (method, bytes, status) => {
    await using at = await proxied({}, () => bytes)
    const ask = `${method} /legacy/a HTTP/1.1\r\nHost: a\r\n\r\n`
    const last = ask.replace('Host', 'Connection: close\r\nHost')
    const got = await rawExchange(at.bench.port, ask + last)
    expect(statusesOf(got)).toEqual([status, status])
  })

  it('addresses of the upstream itself as addresses of the gateway', async () => {
    await using at = await proxied({ stripPrefix: '/legacy', addPrefix: '/v1' })
    const located = async (location: string) => {
      at.server.reply = () => rawReply('', `Location: ${location}\r\n`, '302 Found')
      return (await at.bench.fetch('/legacy/a', { redirect: 'manual' })).headers.get('location')
    }
    expect(await located(`${at.server.url}/v1/login?x=1`)).toBe('/legacy/login?x=1')
    expect(await located('/v1/login')).toBe('/legacy/login')
    expect(await located('/v10/login')).toBe('/v10/login')
    expect(await located('login')).toBe('login')
    expect(await located(`${at.server.url}0/login`)).toBe(`${at.server.url}0/login`)
    expect(await located('//evil.test/a')).toBe('//evil.test/a')
  })
})

describe('what goes wrong', () => {
  it.each<[string, RawReply, number, string]>([
    ['a reset', ({ socket }) => void socket.resetAndDestroy(), 502, 'bad_gateway'],
    ['a connection closed without a word', ({ socket }) => void socket.end(), 502, 'bad_gateway'],
    ['garbage', () => 'HELLO\r\n\r\n', 502, 'bad_gateway'],
    [
      'a reply with two lengths',
      () => 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na',
      502,
      'bad_gateway',
    ],
    ['silence', () => undefined, 504, 'deadline_exceeded'],
  ])('%s is %i %s', async (_what, reply, status, code) => {
    await using at = await proxied({ timeoutMs: 150, retries: 0 }, reply)
    const answer = await at.bench.fetch('/legacy/a')
    expect(await problemOf(answer)).toEqual([status, code])
    expect(answer.headers.get('x-request-id')).not.toBeNull()
  })

  it('a target that nobody listens on is unavailable', async () => {
    const server = await recordingUpstream()
    await server.stop()
    const bench = await startBench(undefined, { routes: [upstream('/legacy/*', [server.url], open)] })
    expect(await problemOf(await bench.fetch('/legacy/a'))).toEqual([503, 'unavailable'])
    await stop(bench)
  })

  it('a body larger than allowed is refused, with a length before the upstream hears of it', async () => {
    await using at = await proxied({ bodyMaxBytes: 10 }, () => undefined)
    const head = 'POST /legacy/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
    const long = await rawExchange(at.bench.port, `${head}Content-Length: 11\r\n\r\n${'a'.repeat(11)}`)
    expect(statusesOf(long)).toEqual([413])
    expect(at.server.connections).toEqual([])
    const chunks = `${'6\r\naaaaaa\r\n'.repeat(2)}0\r\n\r\n`
    const chunked = await rawExchange(at.bench.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`)
    expect(statusesOf(chunked)).toEqual([413])
    expect(at.server.requests).toEqual([])
  })

  it('a reply that breaks off is broken off, never ended', async () => {
    await using at = await proxied({}, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () => socket.resetAndDestroy())
      return undefined
    })
    const got = await rawExchange(at.bench.port, 'GET /legacy/a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(got).not.toContain('\r\n0\r\n')
    await expect(at.bench.fetch('/legacy/a').then((reply) => reply.text())).rejects.toThrow(/terminated|failed/)
  })

  it('a client that leaves takes its request from the upstream', async () => {
    await using at = await proxied({}, () => undefined)
    const client = rawClient(at.bench.port)
    client.send('GET /legacy/a HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => at.server.requests.length === 1)
    expect(at.server.sockets.size).toBe(1)
    client.socket.resetAndDestroy()
    await eventually(() => at.server.sockets.size === 0)
  })

  it('a client that reads nothing holds the upstream back', async () => {
    let written = 0
    await using at = await proxied({}, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
      const chunk = Buffer.alloc(65_536)
      const more = () => {
        while (!socket.destroyed && written < 100_000_000) {
          written += chunk.length
          if (!socket.write(chunk)) break
        }
        socket.once('drain', more)
      }
      more()
      return undefined
    })
    const client = rawClient(at.bench.port)
    client.socket.pause()
    client.send('GET /legacy/a HTTP/1.1\r\nHost: a\r\n\r\n')
    let before = -1
    // Nothing moves any more when the buffers between the two are full.
    for (let same = 0; same < 50; same = written === before ? same + 1 : 0) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(written).toBeLessThan(50_000_000)
    client.end()
  })
})

/** A gateway before two servers: one that does as told, and a good one. */
async function two(first: RawReply, options: UpstreamOptions = {}) {
  const bad = await recordingUpstream(first)
  const good = await recordingUpstream(() => rawReply('good'))
  const route = upstream('/legacy/*', [bad.url, good.url], { ...open, ...options })
  const bench = await startBench(undefined, { routes: [route] })
  return { bad, good, bench, [Symbol.asyncDispose]: () => stop(bench, bad, good) }
}
const reset: RawReply = ({ socket }) => void socket.resetAndDestroy()

describe('a request is asked again', () => {
  it('of another target, when it may be repeated and the first one failed', async () => {
    await using at = await two(reset)
    for (let i = 0; i < 4; i += 1) {
      const reply = await at.bench.fetch('/legacy/a', { method: 'PUT', body: 'x' })
      expect([reply.status, await reply.text()]).toEqual([200, 'good'])
    }
    expect(at.good.requests.every((request) => request.endsWith('\r\n\r\nx'))).toBe(true)
  })

  it('also when the first one says that it cannot answer now', async () => {
    await using at = await two(() => rawReply('busy', '', '503 Busy'))
    const replies = await Promise.all([1, 2, 3, 4].map(() => at.bench.fetch('/legacy/a')))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('but not of the only one: its own reply says why, and when to come back', async () => {
    await using at = await proxied({}, () => rawReply('busy', 'Retry-After: 7\r\n', '503 Busy'))
    const reply = await at.bench.fetch('/legacy/a')
    expect([reply.status, reply.headers.get('retry-after'), await reply.text()]).toEqual([503, '7', 'busy'])
    expect(at.server.requests).toHaveLength(1)
  })

  it('never when it may have happened: a POST that was sent', async () => {
    await using at = await two(reset)
    let asked = 0
    // Which one is chosen is a matter of chance.
    for (let status = 200; status !== 502 && asked < 50; asked += 1) {
      status = (await at.bench.fetch('/legacy/a', { method: 'POST', body: 'x' })).status
    }
    expect(at.bad.requests).toHaveLength(1)
    expect(at.good.requests).toHaveLength(asked - 1)
  })

  it('of another target when the first cannot be reached, whatever the method', async () => {
    await using at = await two(reset)
    await at.bad.stop()
    for (let i = 0; i < 4; i += 1) {
      expect((await at.bench.fetch('/legacy/a', { method: 'POST', body: 'x' })).status).toBe(200)
    }
  })

  it('never beyond the budget of its upstream, which may be none', async () => {
    await using at = await two(reset, { resilience: { retries: false, ejection: false, breaker: false } })
    let failed = 0
    for (let i = 0; i < 50; i += 1) failed += (await at.bench.fetch('/legacy/a')).status === 502 ? 1 : 0
    expect(failed).toBe(at.bad.requests.length)
    expect(failed).toBeGreaterThan(0)
  })

  it('never where that is switched off', async () => {
    await using at = await two(reset, { retries: 0 })
    let asked = 0
    for (let status = 200; status !== 502 && asked < 50; asked += 1) status = (await at.bench.fetch('/legacy/a')).status
    expect([at.bad.requests.length, at.good.requests.length]).toEqual([1, asked - 1])
  })
})

describe('beside what is served', () => {
  it('a mirror gets a copy, with the body, and its silence or failure touches nothing', async () => {
    for (const reply of [() => rawReply('mirrored'), () => undefined, () => 'HELLO\r\n\r\n'] satisfies RawReply[]) {
      const mirror = await recordingUpstream(reply)
      await using at = await proxied({ mirror: { to: mirror.url } })
      const answer = await at.bench.fetch('/legacy/a?b', { method: 'POST', body: 'hello' })
      expect(await answer.text()).toBe('ok')
      await eventually(() => mirror.requests.length === 1)
      expect(mirror.requests[0]).toMatch(/^POST \/legacy\/a\?b [^]*\r\n\r\nhello$/)
      await mirror.stop()
    }
  })

  it('a mirror that cannot be reached, or gets no share, is not noticed', async () => {
    const mirror = await recordingUpstream()
    await using none = await proxied({ mirror: { to: mirror.url, percent: 0 } })
    expect((await none.bench.fetch('/legacy/a')).status).toBe(200)
    expect(mirror.connections).toEqual([])
    await mirror.stop()
    await using gone = await proxied({ mirror: { to: mirror.url } })
    expect((await gone.bench.fetch('/legacy/a')).status).toBe(200)
  })

  it('targets are asked for their health, until the gateway closes', async () => {
    const server = await recordingUpstream()
    const bench = await startBench(undefined, {
      routes: [upstream('/legacy/*', [`${server.url}/base`], { ...open, health: { path: '/up', intervalMs: 10 } })],
    })
    await eventually(() => server.requests.length >= 3)
    expect(server.requests[0]).toMatch(/^GET \/base\/up HTTP\/1\.1\r\n/)
    await bench.stop()
    await bench.gateway.close()
    await eventually(() => server.sockets.size === 0)
    await server.stop()
  })
})

describe('an upstream is refused at start', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no target', () => upstream('/a/*', []), /at least one target/],
    ['a target with a password', () => upstream('/a/*', ['http://me:secret@a']), /(?!.*secret)no address like/],
    ['a target twice', () => upstream('/a/*', ['http://a', 'http://a']), /named twice/],
    ['a strange target', () => upstream('/a/*', ['ftp://a']), /no address like/],
    ['a negative weight', () => upstream('/a/*', [{ url: 'http://a', weight: -1 }]), /weight/],
    ['no weight at all', () => upstream('/a/*', [{ url: 'http://a', weight: 0 }]), /weight 0/],
    ['a foreign prefix', () => upstream('/a/*', ['http://a'], { stripPrefix: '/b' }), /not the beginning/],
    ['half a segment as prefix', () => upstream('/ab/*', ['http://a'], { stripPrefix: '/a' }), /not the beginning/],
    ['an unknown field', () => upstream('/a/{b}', ['http://a'], { rewrite: '/{c}' }), /\{c\}/],
    [
      'a line break in a header',
      () => upstream('/a', ['http://a'], { headers: { request: { set: { a: 'b\r\nc: d' } } } }),
      /not allowed/,
    ],
    [
      'a header of ours',
      () => upstream('/a', ['http://a'], { headers: { request: { set: { 'X-Forwarded-For': 'b' } } } }),
      /gateway's own/,
    ],
    ['a method in lower case', () => upstream('/a', ['http://a'], { methods: ['get'] }), /upper case/],
    ['no time', () => upstream('/a', ['http://a'], { timeoutMs: 0 }), /timeoutMs/],
  ])('with %s', (_what, make, message) => {
    expect(make).toThrow(message)
  })

  it('which nobody could pass', async () => {
    const routes = [upstream('/a', ['http://a'], { access: signedIn() })]
    await expect(startBench(undefined, { authenticate: [], routes })).rejects.toThrow(/authenticates nobody/)
  })
})

describe('methods and redirects', () => {
  it('only declared methods pass; TRACE never does', async () => {
    await using some = await proxied({ methods: ['GET', 'POST'] })
    const put = await some.bench.fetch('/legacy/a', { method: 'PUT' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD, OPTIONS'])
    await using all = await proxied()
    expect((await all.bench.fetch('/legacy/a', { method: 'DELETE' })).status).toBe(200)
    const trace = await rawExchange(all.bench.port, 'TRACE /legacy/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(statusesOf(trace)).toEqual([405])
    expect(all.server.requests).toHaveLength(1)
  })

  it('no header names another method to an upstream whose methods are declared', async () => {
    const headers = {
      'X-HTTP-Method-Override': 'DELETE',
      'X-HTTP-Method': 'PUT',
      'X-Method-Override': 'PUT',
      'X-A': 'b',
    }
    await using some = await proxied({ methods: ['GET', 'POST'] })
    await some.bench.fetch('/legacy/a', { method: 'POST', headers })
    expect(some.server.requests[0]).toMatch(/^x-a: b\r$/im)
    expect(some.server.requests[0]).not.toMatch(/method/i)
    await using all = await proxied()
    await all.bench.fetch('/legacy/a', { method: 'POST', headers })
    expect(all.server.requests[0]).toMatch(/^x-http-method-override: DELETE\r$/im)
  })

  it('a redirect fills in what the request has, and leads nowhere else', async () => {
    const routes = [
      redirect('/old/*', '/new/*'),
      redirect('/u/{id}', 'https://example.com/users/{id}', { status: 302 }),
      redirect('/any/*', '/*', { allowInPath: ['//'] }),
    ]
    const bench = await startBench(undefined, { routes })
    const at = async (path: string) => {
      const reply = await bench.fetch(path, { redirect: 'manual' })
      return [reply.status, reply.headers.get('location')]
    }
    expect(await at('/old/a/b?c=d')).toEqual([308, '/new/a/b?c=d'])
    expect(await at('/u/a%20b')).toEqual([302, 'https://example.com/users/a%20b'])
    expect(await at('/any//evil.test/x')).toEqual([308, '/evil.test/x'])
    await stop(bench)
    expect(() => redirect('/a', '//evil.test')).toThrow(/neither a path/)
    expect(() => redirect('/a', 'javascript:x')).toThrow(/neither a path/)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { platformProblem } from '../call/problem.ts'
import { anyone, contract, get } from '../contract/index.ts'
import { rawClient, rawExchange, statusesOf } from '../http/raw-client.ts'
import { type Bench, notes, startBench } from './gateway-fixture.ts'
import { expose } from './index.ts'

const files = contract('files', {
  version: '1.0.0',
  operations: {
    read: get('/pub/files/{name}', { input: z.object({ name: z.string() }), output: z.string(), access: anyone() }),
  },
})

const headerOf = (reply: string, name: string) => new RegExp(`^${name}: (.+)\r$`, 'm').exec(reply)?.[1]

const told = (status: number, code: string) => ({
  statuses: [status],
  method: '-',
  status,
  code,
  traced: true,
  counted: true,
})

describe('what is refused before it is a request', () => {
  const head = 'GET /pub/notes HTTP/1.1\r\nHost: a\r\n'
  const limits = { requestLineMaxBytes: 200, headersMaxBytes: 400, headersTimeoutMs: 100, connectionsMax: 3 }
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench(undefined, { limits })
  })
  afterAll(() => bench.stop())

  /** What the reply says by its status and ids, as the access log and the counters have it. */
  function toldOf(reply: string) {
    const found = bench.records.find(({ requestId }) => requestId === headerOf(reply, 'X-Request-Id'))
    const { method, status, code } = found ?? {}
    const traced = found?.traceId === headerOf(reply, 'Trestle-Trace-Id') && found?.remoteAddress === '127.0.0.1'
    const counted = bench.metrics.text().includes(`{route="none",method="other",status="${status}"}`)
    return { statuses: statusesOf(reply), method, status, code, traced, counted }
  }

  it.each([
    ['a malformed head', 'HELLO\r\n\r\n', 400, 'bad_request'],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad_request'],
    ['a head that does not end', head, 408, 'request_timeout'],
    ['a long line', `GET /${'a'.repeat(300)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'uri_too_long'],
    ['long headers', `${head}X-Long: ${'a'.repeat(500)}\r\n\r\n`, 431, 'headers_too_large'],
    ['an unknown expectation', `${head}Expect: tea\r\n\r\n`, 417, 'expectation_failed'],
    ['a tunnel', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'not_implemented'],
  ])('%s has the ids of every reply, is logged and counted', async (_, text, status, code) => {
    expect(toldOf(await rawExchange(bench.port, text))).toEqual(told(status, code))
  })

  it('a connection too many too', async () => {
    const open = Array.from({ length: limits.connectionsMax }, () => rawClient(bench.port))
    for (const client of open) client.send(`${head}\r\n`)
    await Promise.all(open.map((client) => client.until('\r\n\r\n')))
    expect(toldOf(await rawClient(bench.port).closed())).toEqual(told(503, 'overloaded'))
    for (const client of open) client.end()
  })
})

/** The numbers are those of the list of black-box cases in the gateway's design. */
describe('a gateway refuses', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench(undefined, {
      routes: [expose(notes), expose(files, { prefix: '/raw', allowInPath: ['%2F', ';'] })],
      hosts: ['api.example.com'],
    })
  })
  afterAll(() => bench.stop())

  const host = 'Host: api.example.com\r\n'
  const ask = (target: string, more = '') =>
    rawExchange(bench.port, `GET ${target} HTTP/1.1\r\n${host}${more}Connection: close\r\n\r\n`)
  const status = async (target: string, more = '') => statusesOf(await ask(target, more))

  it.each([
    '/pub/../admin/x',
    '/pub/%2e%2e/admin/x',
    '/pub/.%2E/admin/x',
    'http://api.example.com/pub/../admin/x',
    'http://api.example.com/pub/%2e%2e/admin/x',
  ])('1: %s is /admin/x at every stage, which needs a credential', async (target) => {
    const before = bench.calls.length
    expect(await status(target)).toEqual([401])
    expect(bench.calls).toHaveLength(before)
    expect(bench.records.at(-1)).toMatchObject({ path: '/admin/x', route: '/admin/{x}' })
  })

  it.each([
    '/pub/..;/admin/x',
    '/pub/..%5cadmin/x',
    '/pub/..%2fadmin/x',
    '/pub/%252e%252e/admin/x',
    '/pub\\..\\admin/x',
  ])('1: %s is no path', async (target) => {
    const before = bench.calls.length
    expect(await status(target)).toEqual([400])
    expect(bench.calls).toHaveLength(before)
  })

  it.each([
    ['//admin/x', 400],
    ['/admin//x', 400],
    ['/%2fadmin/x', 400],
    ['/admin%2fx', 400],
    ['/pub/notes;admin', 400],
    ['/pub/notes/a%2f..%2f..%2fadmin', 400],
    ['/ADMIN/x', 404],
    ['/admin/', 404],
    ['/%61dmin/x', 401],
  ])('2: %s is answered with %i and reaches nobody', async (target, expected) => {
    const before = bench.calls.length
    expect(await status(target)).toEqual([expected])
    expect(bench.calls).toHaveLength(before)
  })

  it('3: an encoded slash under a prefix is a part of the value where the route allows it, and never a way up', async () => {
    expect(await status('/raw/pub/files/a%2Fb;c')).toEqual([200])
    expect(bench.calls.at(-1)?.input).toMatchObject({ params: { name: 'a/b;c' } })
    expect(await status('/raw/pub/files/..%2Fb')).toEqual([400])
    expect(await status('/raw/pub/files/a%5Cb')).toEqual([400])
  })

  const headersSeen = async (more: string) => {
    expect(await status('/pub/agent', more)).toEqual([200])
    const input = bench.calls.at(-1)?.input
    return input?.kind === 'rest' ? input.headers : undefined
  }

  it('4: a field that Connection names goes no further, and what the gateway sets cannot be named away', async () => {
    expect(await headersSeen('X-User-Id: root\r\nConnection: X-User-Id, X-Request-Id\r\n')).toEqual({})
    expect(await headersSeen('X-User-Id: mine\r\n')).toEqual({ user: 'mine' })
    expect(await ask('/pub/agent', 'Connection: X-Request-Id, Trestle-Trace-Id\r\n')).toMatch(
      /^x-request-id: .*trestle-trace-id: /ims,
    )
  })

  it('5: what it is told of where a request comes from', async () => {
    expect(await headersSeen('X-Real-IP: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n')).toEqual(
      {},
    )
    expect(bench.records.at(-1)?.remoteAddress).toBe('127.0.0.1')
  })

  it('6: a name with an underscore that others take for a hyphen', async () => {
    expect(await headersSeen('X_User_Id: root\r\nX_Real_IP: 1.1.1.1\r\n')).toEqual({})
  })

  it('9: a request that two parsers would cut differently; nothing of it reaches anybody', async () => {
    const before = bench.calls.length
    const inner = `GET /pub/notes HTTP/1.1\r\n${host}\r\n`
    const post = `POST /pub/notes HTTP/1.1\r\n${host}Content-Type: application/json\r\n`
    for (const message of [
      `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${inner}`,
      `${post}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${inner}`,
      `${post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${inner}`,
      `${post}Content-Length: 0\n\r\n${inner}`,
      `${post}A: b\r\n Content-Length: 0\r\n\r\n${inner}`,
    ]) {
      expect(statusesOf(await rawExchange(bench.port, message))).toEqual([400])
    }
    expect(bench.calls).toHaveLength(before)
  })

  it('10: chunk extensions with a line break in them', async () => {
    const before = bench.calls.length
    const head = `POST /pub/notes HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    for (const chunk of ['2;a\nb\r\n{}\r\n0\r\n\r\n', '2;a\rb\r\n{}\r\n0\r\n\r\n', '2;a="\n"\r\n{}\r\n0\r\n\r\n']) {
      expect(statusesOf(await rawExchange(bench.port, head + chunk))).toEqual([400])
    }
    expect(bench.calls).toHaveLength(before)
  })

  it('13: nothing for good: after odd targets and clients that leave it serves on', async () => {
    for (let round = 0; round < 200; round += 1) {
      const odd = ['/%', '/\\', 'x', '*', '/%00', '?', 'http://', '//', '/a|b{', `/${'%2e'.repeat(round)}`][
        round % 10
      ] as string
      const client = rawClient(bench.port)
      client.send(`GET ${odd} HTTP/1.1\r\n${host}\r\n`)
      await client.until('\r\n\r\n')
      client.socket.resetAndDestroy()
    }
    expect(await status('/pub/notes/1')).toEqual([200])
    expect(bench.errors).toEqual([])
  })

  it.each([
    'api.example.com.evil.test',
    'evil-api.example.com',
    'example.com',
    'api.example.com:80:80',
    'api.example.com@evil.test',
  ])('14: the host %s', async (name) => {
    const before = bench.calls.length
    const got = await rawExchange(bench.port, `GET /pub/notes/1 HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
    expect([400, 404]).toContain(statusesOf(got)[0])
    expect(bench.calls).toHaveLength(before)
  })

  it('14: two hosts', async () => {
    expect(await status('/pub/notes/1', 'Host: api.example.com\r\n')).toEqual([400])
  })

  it('25: a line break in a value that becomes a header', async () => {
    const got = await ask('/nothing?x=%0d%0aSet-Cookie:a=b', 'X-Request-Id: a%0d%0aSet-Cookie:b\r\n')
    expect(statusesOf(got)).toEqual([404])
    expect(got).not.toMatch(/set-cookie/i)
  })
})

it('a gateway never lets a reply of a service break its own', async () => {
  const bench = await startBench(() => ({
    ok: true,
    status: 200,
    body: { kind: 'empty' },
    headers: { 'X-A': 'b\r\nSet-Cookie: c=d' },
  }))
  const got = await bench.raw('GET /pub/notes/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(statusesOf(got)).toEqual([500])
  expect(got).not.toMatch(/set-cookie/i)
  await bench.stop()
})

it('a gateway answers 503 with a wait for a service that is down, and others go on', async () => {
  const bench = await startBench((call) =>
    call.operation === 'list'
      ? { ok: false, problem: platformProblem('unavailable') }
      : { ok: true, status: 200, body: { kind: 'empty' } },
  )
  const down = await bench.fetch('/pub/notes')
  expect([down.status, down.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await bench.fetch('/pub/notes/1')).status).toBe(200)
  await bench.stop()
})

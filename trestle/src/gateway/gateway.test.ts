import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ancestorsOf, idOf, onceWork, workFromOutside } from '../call/once-work.ts'
import { platformProblem } from '../call/problem.ts'
import { anyone, contract, get, post, query } from '../contract/index.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createGateway } from './create-gateway.ts'
import { authenticator, expose, gateway, gatewayUses, type ProblemMembers } from './index.ts'
import { type Answer, type Bench, notes, sessions, startBench } from './gateway-fixture.ts'

const benches: Bench[] = []
async function start(...args: Parameters<typeof startBench>): Promise<Bench> {
  const bench = await startBench(...args)
  benches.push(bench)
  return bench
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()))
})

const names = (spec: ReturnType<typeof expose>) => spec.operations.map(({ operation }) => operation.name)
const notFound: Answer = () => ({
  ok: false,
  problem: {
    code: 'note_not_found',
    status: 404,
    title: 'No such note',
    declared: true,
    details: { id: 7 },
    retryAfterMs: 1_500,
    instance: 'notes.read',
  },
})
const problemMembers: ProblemMembers = ({ code, title }, { traceId, path }) => ({
  error: code,
  title: title.toUpperCase(),
  see: [traceId, path],
})
const alice = { headers: { authorization: 'Bearer alice' } }
const jsonBody = (value: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers: { 'content-type': 'application/json', ...headers },
})

describe('expose', () => {
  it('needs to know who may ask', () => {
    const open = contract('open', { version: '1.0.0', operations: { look: get('/look', { output: z.string() }) } })
    expect(() => expose(open)).toThrow(/look does not say who may ask/)
  })

  it('takes what has a route, only or except what is named', () => {
    const mixed = contract('mixed', {
      version: '1.0.0',
      operations: { a: get('/a', { access: anyone() }), b: get('/b', { access: anyone() }), inner: query({}) },
    })
    expect(names(expose(mixed))).toEqual(['a', 'b'])
    expect(names(expose(mixed, { only: ['a'] }))).toEqual(['a'])
    expect(names(expose(mixed, { except: ['a'] }))).toEqual(['b'])
    expect(expose(mixed, { prefix: '/v1' }).operations[0]?.path).toBe('/v1/a')
    expect(() => expose(mixed, { only: ['inner'] })).toThrow(/has no route/)
    expect(() => expose(mixed, { except: ['a', 'b'] })).toThrow(/no operation/)
    expect(() => expose(mixed, { prefix: 'v1' })).toThrow(/prefix/)
  })

  it('is refused when two routes collide, with both places', async () => {
    const other = contract('other', {
      version: '1.0.0',
      operations: { one: get('/pub/notes/{key}', { input: z.object({ key: z.string() }), access: anyone() }) },
    })
    await expect(start(undefined, { routes: [expose(notes), expose(other)] })).rejects.toThrow(
      /notes\.read.*other\.one/,
    )
    await expect(start(undefined, { routes: [expose(notes), expose(other, { prefix: '/v2' })] })).resolves.toBeDefined()
  })

  it('tells which contracts the gateway asks', () => {
    const auth = authenticator({ name: 'a', scheme: 'Bearer', uses: { sessions }, authenticate: async () => undefined })
    expect(
      gatewayUses(gateway({ authenticate: [auth], routes: [expose(notes), expose(notes, { prefix: '/v2' })] })),
    ).toEqual([notes, sessions])
    expect(() => gateway({ authenticate: [auth, auth], routes: [] })).toThrow(/two authenticators/)
  })
})

describe('a request', () => {
  it('becomes a call with its parts untouched', async () => {
    const bench = await start()
    const reply = await bench.fetch('/pub/notes/a%20b%25?x=1&y=%zz', {
      headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    })
    expect(reply.status).toBe(200)
    expect(await reply.json()).toEqual({ id: '1' })
    expect(bench.calls[0]).toMatchObject({
      contract: 'notes@1',
      operation: 'read',
      want: 'bytes',
      from: 'gateway',
      caller: { kind: 'anonymous' },
      input: { kind: 'rest', params: { id: 'a b%' }, query: 'x=1&y=%zz', body: undefined },
    })
    expect(bench.calls[0]?.trace.traceId).toBe('a'.repeat(32))
  })

  it('passes the body on as bytes, and the key of the request', async () => {
    const bench = await start(() => ({ ok: true, status: 201, body: { kind: 'empty' } }))
    const text = '{ "text" : "ä" }'
    const reply = await bench.fetch('/pub/notes', jsonBody(text, { 'idempotency-key': '"k-1"' }))
    expect(reply.status).toBe(201)
    const call = bench.calls[0]
    expect(call?.key).toBe('k-1')
    expect(call?.input).toMatchObject({ contentType: 'application/json', body: Buffer.from(text) })
    expect(bench.records[0]).toMatchObject({ bytesIn: Buffer.byteLength(text), bytesOut: 0, operation: 'notes.add' })
  })

  it('says that a reply was kept for its key, be it a success or a failure', async () => {
    const headers = { 'Idempotency-Replayed': 'true' }
    const kept = await start(() => ({ ok: true, status: 201, body: { kind: 'empty' }, headers }))
    const success = await kept.fetch('/pub/notes', jsonBody({ text: 'a' }))
    expect([success.status, success.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    const problem = { ...platformProblem('conflict'), replayed: true }
    const failing = await start(() => ({ ok: false, problem }))
    const failure = await failing.fetch('/pub/notes', jsonBody({ text: 'a' }))
    expect([failure.status, failure.headers.get('idempotency-replayed')]).toEqual([409, 'true'])
    expect(await failure.json()).not.toHaveProperty('replayed')
  })

  it('says when to ask again while a request with the key is being worked on', async () => {
    const problem = platformProblem('idempotency_in_progress', { retryAfterMs: 1_000 })
    const bench = await start(() => ({ ok: false, problem }))
    const reply = await bench.fetch('/pub/notes', jsonBody({ text: 'a' }))
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([409, '1'])
  })

  it('passes on which work is undone, by its id only', async () => {
    const bench = await start()
    const cancels = `~${'a'.repeat(22)}`
    await bench.fetch('/pub/notes', jsonBody({ text: 'a' }, { 'idempotency-cancels': cancels }))
    expect(bench.calls[0]?.cancels).toBe(workFromOutside(cancels))
    const reply = await bench.fetch('/pub/notes', jsonBody({ text: 'a' }, { 'idempotency-cancels': 'work' }))
    expect([reply.status, bench.calls.length]).toEqual([400, 1])
  })

  it('takes no client for work that the system does in its name, and each for its own', async () => {
    const bench = await start()
    const { scope } = onceWork({ key: 'the scope of a request, which its client can compute', beganAtMs: 0 })
    const forged = { 'idempotency-key': scope.keyFor('notes.add'), 'idempotency-cancels': `~${idOf(scope.key)}` }
    await bench.fetch('/pub/notes', jsonBody({ text: 'a' }, forged))
    const [call] = bench.calls
    expect(ancestorsOf(call?.key)).not.toContain(idOf(scope.key))
    expect(ancestorsOf(call?.key)).toEqual([idOf(call?.cancels ?? '')])
  })

  it.each<[string, string, RequestInit, number, string]>([
    ['an unknown path', '/nothing', {}, 404, 'not_found'],
    ['an unknown method', '/pub/notes', { method: 'DELETE' }, 405, 'method_not_allowed'],
    ['a body that is too large', '/pub/notes', jsonBody(JSON.stringify('x'.repeat(1_000))), 413, 'body_too_large'],
    [
      'a body of another type',
      '/pub/notes',
      { method: 'POST', body: 'text=1', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a body that is encoded',
      '/pub/notes',
      jsonBody({ text: 'x' }, { 'content-encoding': 'gzip' }),
      415,
      'unsupported_media_type',
    ],
    ['a key that is none', '/pub/notes', jsonBody({}, { 'idempotency-key': 'a b' }), 400, 'invalid_input'],
    ['no credential', '/mine', {}, 401, 'unauthenticated'],
    ['an unknown credential', '/mine', { headers: { authorization: 'Bearer nobody' } }, 401, 'unauthenticated'],
    [
      'an unknown credential where anyone may ask',
      '/pub/notes',
      { headers: { authorization: 'Bearer nobody' } },
      401,
      'unauthenticated',
    ],
    ['an unknown scheme', '/mine', { headers: { authorization: 'Basic YTpi' } }, 401, 'unauthenticated'],
    ['a credential that is none', '/mine', { headers: { authorization: 'Bearer' } }, 401, 'unauthenticated'],
    ['a missing scope', '/admin/x', { headers: { authorization: 'Bearer alice:admin' } }, 403, 'forbidden'],
    ['an invalid escape', '/pub/notes/%zz', {}, 400, 'bad_request'],
    ['NUL', '/pub/notes/%00', {}, 400, 'bad_request'],
  ])('with %s is refused', async (_what, path, init, status, code) => {
    const bench = await start()
    const reply = await bench.fetch(path, init)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.headers.get('x-request-id')).toBeTruthy()
    const traceId = reply.headers.get('trestle-trace-id')
    const body = (await reply.json()) as Record<string, unknown>
    expect(body).toMatchObject({ type: `urn:trestle:error:${code}`, code, status, traceId })
    expect(bench.calls).toEqual([])
    expect(bench.records[0]).toMatchObject({ status, code, traceId })
  })

  it('of another method says which are allowed', async () => {
    const bench = await start()
    expect((await bench.fetch('/pub/notes', { method: 'DELETE' })).headers.get('allow')).toBe(
      'GET, POST, HEAD, OPTIONS',
    )
    const options = await bench.fetch('/pub/notes', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
    expect(await bench.raw('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/204[^]*Allow: GET/)
  })

  it('by HEAD is answered like GET, without the body', async () => {
    const bench = await start()
    const reply = await bench.fetch('/pub/notes/1', { method: 'HEAD' })
    expect([reply.status, reply.headers.get('content-length'), await reply.text()]).toEqual([200, '10', ''])
  })

  it('keeps its own id when that is safe', async () => {
    const bench = await start()
    const reply = await bench.fetch('/nothing', { headers: { 'x-request-id': 'mine-1' } })
    expect(reply.headers.get('x-request-id')).toBe('mine-1')
  })

  it('gets no header that a parameter smuggles in', async () => {
    const bench = await start()
    const got = await bench.raw(
      'GET /pub/notes/a%0d%0aSet-Cookie:%20x=y HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\tb\r\nConnection: close\r\n\r\n',
    )
    expect(got).toMatch(/^HTTP\/1\.1 400 /)
    expect(got).not.toMatch(/^set-cookie/im)
  })
})

describe('authentication', () => {
  it('makes the caller of the call, and the reply is stored nowhere', async () => {
    const bench = await start()
    const reply = await bench.fetch('/admin/x', { headers: { authorization: 'bearer alice:admin,root' } })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(bench.calls[0]?.caller).toEqual({ kind: 'user', id: 'alice', scopes: ['admin', 'root'] })
    expect(bench.records[0]).toMatchObject({ callerKind: 'user', callerId: 'alice' })
    expect(JSON.stringify(bench.records)).not.toContain('admin,root')
  })

  it('says how to do it', async () => {
    const bench = await start()
    const header = async (path: string, authorization?: string) =>
      (await bench.fetch(path, authorization === undefined ? {} : { headers: { authorization } })).headers.get(
        'www-authenticate',
      )
    expect(await header('/mine')).toBe('Bearer realm="trestle"')
    expect(await header('/mine', 'Bearer nobody')).toBe('Bearer realm="trestle", error="invalid_token"')
    expect(await header('/admin/x', 'Bearer alice')).toBe(
      'Bearer realm="trestle", error="insufficient_scope", scope="admin root"',
    )
  })

  it.each(['unavailable', 'overloaded', 'deadline_exceeded', 'outcome_unknown', 'internal'] as const)(
    'that fails with %s is 503, never 401',
    async (code) => {
      const bench = await start(undefined, { verify: () => ({ ok: false, problem: platformProblem(code) }) })
      const reply = await bench.fetch('/mine', alice)
      expect(reply.status).toBe(503)
      expect(reply.headers.get('retry-after')).toBe('1')
      expect(reply.headers.get('www-authenticate')).toBeNull()
      expect((await bench.fetch('/pub/notes/1')).status).toBe(200)
    },
  )

  it('that breaks is internal, with its cause in the log only', async () => {
    const broken = authenticator({
      name: 'broken',
      scheme: 'bearer',
      authenticate: async () => {
        throw new Error('secret cause')
      },
    })
    const bench = await start(undefined, { authenticate: [broken] })
    const reply = await bench.fetch('/mine', alice)
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('secret')
    expect(bench.errors).toHaveLength(1)
  })

  it.each(['operator', 'service', 'anonymous'])('lets nobody in from outside as %s', async (kind) => {
    const careless = authenticator({
      name: 'careless',
      scheme: 'bearer',
      // As from a token whose claims nobody looked at.
      authenticate: async () => ({ kind: kind as 'user', id: 'gateway', scopes: ['admin'] }),
    })
    const bench = await start(undefined, { authenticate: [careless] })
    const reply = await bench.fetch('/mine', { headers: { authorization: 'Bearer a' } })
    expect([reply.status, await reply.json()]).toMatchObject([500, { code: 'internal' }])
    expect(bench.calls).toEqual([])
  })

  it('asks the first authenticator that recognises the form of a credential, and no other', async () => {
    const asked: string[] = []
    const of = (name: string, prefix: string) =>
      authenticator({
        name,
        scheme: 'bearer',
        recognises: (credential) => credential.startsWith(prefix),
        async authenticate() {
          asked.push(name)
          return name === 'keys' ? undefined : { kind: 'user' as const, id: name, scopes: [] }
        },
      })
    const bench = await start(undefined, { authenticate: [of('keys', 'key_'), of('sessions', '')] })
    expect((await bench.fetch('/mine', { headers: { authorization: 'Bearer key_1' } })).status).toBe(401)
    expect((await bench.fetch('/mine', { headers: { authorization: 'Bearer x' } })).status).toBe(200)
    expect(asked).toEqual(['keys', 'sessions'])
  })
})

describe('a reply', () => {
  it('that failed is a problem with its details and its wait', async () => {
    const bench = await start(notFound)
    const reply = await bench.fetch('/pub/notes/7')
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([404, '2'])
    expect(await reply.json()).toMatchObject({ code: 'note_not_found', details: { id: 7 }, instance: 'notes.read' })
  })

  it('that failed has the further members that an API has promised, also where no route is', async () => {
    const bench = await start(notFound, { problemMembers })
    for (const [path, error, title] of [
      ['/pub/notes/7', 'note_not_found', 'NO SUCH NOTE'],
      ['/nowhere', 'not_found', 'NO SUCH RESOURCE'],
    ]) {
      const reply = await bench.fetch(`${path}`)
      expect(reply.headers.get('content-type')).toBe('application/problem+json')
      const body = (await reply.json()) as { traceId: string }
      expect(body).toMatchObject({ code: error, status: 404, error, title, see: [body.traceId, path] })
    }
  })

  it('of a deprecated operation says so, also when it failed', async () => {
    let fails = false
    const bench = await start(() =>
      fails
        ? { ok: false, problem: platformProblem('unavailable') }
        : { ok: true, status: 200, body: { kind: 'empty' } },
    )
    for (const status of [200, 503]) {
      const reply = await bench.fetch('/old')
      expect(reply.status).toBe(status)
      expect(reply.headers.get('deprecation')).toBe('@1801353600')
      expect(reply.headers.get('link')).toBe('</pub/notes>; rel="successor-version"')
      fails = true
    }
  })

  it('as a value is written by the contract, and what the contract does not allow is not sent', async () => {
    let value: unknown = { id: 'x', secret: 'y' }
    const bench = await start(() => ({ ok: true, status: 200, body: { kind: 'value', value } }))
    expect(await (await bench.fetch('/pub/notes/1')).text()).toBe('{"id":"x"}')
    value = { id: 1 }
    expect((await bench.fetch('/pub/notes/1')).status).toBe(502)
  })

  it("may bring headers, but not the gateway's own or a broken one", async () => {
    const bench = await start(() => ({
      ok: true,
      status: 200,
      body: { kind: 'empty' },
      headers: { ETag: '"1"', 'X-Request-Id': 'spoofed', 'Trestle-Trace-Id': 'spoofed' },
    }))
    const reply = await bench.fetch('/pub/notes/1')
    expect(reply.headers.get('etag')).toBe('"1"')
    expect(reply.headers.get('x-request-id')).not.toContain('spoofed')
    expect(reply.headers.get('trestle-trace-id')).not.toContain('spoofed')
  })

  it('that does not come in time is 504; the call is told', async () => {
    const slow = contract('slow', {
      version: '1.0.0',
      operations: { wait: post('/wait', { access: anyone(), timeoutMs: 20 }) },
    })
    const told: unknown[] = []
    const bench = await start(
      (call) => {
        call.signal.addEventListener('abort', () => told.push(call.signal.reason))
        return new Promise(() => undefined)
      },
      { routes: [expose(slow)] },
    )
    expect((await bench.fetch('/wait', { method: 'POST' })).status).toBe(504)
    expect(told).toHaveLength(1)
  })

  it('that nobody waits for is cancelled and logged as 499', async () => {
    let told = 0
    const bench = await start((call) => {
      call.signal.addEventListener('abort', () => {
        told += 1
      })
      return new Promise(() => undefined)
    })
    const gone = new AbortController()
    const asked = bench.fetch('/pub/notes/1', { signal: gone.signal })
    await expect.poll(() => bench.calls.length).toBe(1)
    gone.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => told).toBe(1)
    await expect.poll(() => bench.records[0]?.status).toBe(499)
  })
})

describe('the pages of a gateway', () => {
  it('say what this is, that it lives and is ready', async () => {
    const bench = await start()
    expect(await (await bench.fetch('/')).json()).toMatchObject({
      title: 'Notes',
      links: { '/openapi.json': expect.any(String) },
    })
    expect((await bench.fetch('/livez')).status).toBe(200)
    expect(await (await bench.fetch('/readyz')).json()).toEqual({
      status: 'ready',
      services: [{ name: 'notes', state: 'ready', instances: 2 }],
    })
    const unready = await start(undefined, { deps: { readiness: () => ({ ready: false, services: [] }) } })
    expect((await unready.fetch('/readyz')).status).toBe(503)
  })

  it('document every exposed operation at its public address', async () => {
    const bench = await start(undefined, { routes: [expose(notes, { prefix: '/v1' })] })
    const document = (await (await bench.fetch('/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, unknown>
    }
    expect(document.openapi).toMatch(/^3\.1/)
    expect(Object.keys(document.paths)).toContain('/v1/pub/notes/{id}')
    expect(Object.keys(document.paths)).not.toContain('/pub/notes/{id}')
    expect(bench.gateway.openapi()).toMatchObject({ info: { title: 'Notes' } })
    expect(bench.gateway.routes().map(({ path }) => path)).toContain('/v1/mine')
  })

  it('give way at / to an operation, and can be more', async () => {
    const root = contract('root', {
      version: '1.0.0',
      operations: { home: get('/', { output: z.string(), access: anyone() }) },
    })
    const extra = { path: '/extra', summary: 'more', answer: () => ({ status: 200, headers: [], body: 'extra' }) }
    const bench = await start(undefined, { routes: [expose(root)], deps: { pages: [extra] } })
    await bench.fetch('/')
    expect(bench.calls).toHaveLength(1)
    expect(await (await bench.fetch('/extra')).text()).toBe('extra')
  })
})

describe('what is counted and logged', () => {
  it('is by template, never by what the client wrote', async () => {
    const bench = await start()
    await bench.fetch('/pub/notes/secret-id?token=hunter2', { headers: { authorization: 'Bearer alice:hunter2' } })
    for (let n = 0; n < 20; n += 1) await bench.fetch(`/random-${n}`)
    const text = bench.metrics.text()
    expect(text).toContain('trestle_gateway_requests_total{route="/pub/notes/{id}",method="GET",status="200"} 1')
    expect(text).toContain('trestle_gateway_requests_total{route="none",method="GET",status="404"} 20')
    expect(text).toContain('trestle_gateway_requests_in_flight 0')
    expect(text).not.toMatch(/random-|secret-id/)
    expect(JSON.stringify(bench.records)).not.toContain('hunter2')
    expect(bench.records[0]).toMatchObject({
      method: 'GET',
      path: '/pub/notes/secret-id',
      route: '/pub/notes/{id}',
      status: 200,
      remoteAddress: '127.0.0.1',
    })
  })
})

it('a gateway is data until it is made', async () => {
  await expect(
    createGateway(gateway({ routes: [expose(notes)], trustedProxies: ['nonsense'] }), {
      send: () => Promise.reject(new Error('unused')),
      clock: { now: () => 0, monotonic: () => 0, setTimeout: () => ({ cancel: () => undefined }) },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      metrics: createMetrics(),
      readiness: () => ({ ready: true, services: [] }),
      info: { title: 'x', version: '1.0.0' },
    }),
  ).rejects.toThrow(/nonsense/)
})

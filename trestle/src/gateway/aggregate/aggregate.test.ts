import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call, Reply } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'
import { anyone, bytes, command, contract, get, post, problem, query, scopes, signedIn } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { gateway, gatewayUses } from '../gateway.ts'
import { aggregate } from './aggregate.ts'
import { type AnyPart, optional, part } from './part.ts'

const Cart = z.object({ lines: z.array(z.string()), note: z.string().default('') }).meta({ id: 'Cart' })
const shop = contract('shop', {
  version: '1.0.0',
  operations: {
    products: query({
      input: z.object({ limit: z.int().default(20) }),
      output: z.array(z.string()),
      errors: { shelf_unknown: problem(404, z.object({ shelf: z.string() })) },
      access: anyone(),
    }),
    cart: get('/cart', { output: Cart, access: signedIn() }),
    secrets: get('/secrets', { output: z.array(z.string()), access: scopes('secrets') }),
    inner: query({ output: z.string() }),
    file: query({ output: bytes(), access: anyone() }),
    nothing: query({ access: anyone() }),
    buy: command({ output: z.string(), access: anyone() }),
  },
})
const advisor = contract('advisor', {
  version: '1.0.0',
  operations: {
    advise: query({
      input: z.object({ lines: z.array(z.string()), products: z.array(z.string()) }),
      output: z.array(z.string()),
      access: anyone(),
    }),
  },
})
const { products, cart, secrets } = shop.operations
const { advise } = advisor.operations

const benches: Bench[] = []
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()))
})

type Answers = Readonly<Record<string, (call: Call) => Reply | Promise<Reply>>>
const json = (value: unknown, headers?: Record<string, string>): Reply => ({
  ok: true,
  status: 200,
  body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(value)), contentType: 'application/json' },
  ...(headers === undefined ? {} : { headers }),
})
const failing = (code: Parameters<typeof platformProblem>[0]): Reply => ({ ok: false, problem: platformProblem(code) })
const answers: Answers = {
  products: () => json(['kettle']),
  cart: () => json({ lines: ['KIT'], note: 'soon' }),
  secrets: () => json(['s']),
  advise: () => json(['buy']),
}

async function start(route: ReturnType<typeof aggregate>, more: Answers = {}): Promise<Bench> {
  const bench = await startBench((call) => ({ ...answers, ...more })[call.operation]?.(call) ?? failing('not_found'), {
    routes: [route],
  })
  benches.push(bench)
  return bench
}

const alice = { headers: { authorization: 'Bearer alice' } }
const home = get('/home', { access: anyone() })
const input = (call: Call | undefined) => (call?.input.kind === 'value' ? call.input.value : undefined)
const broken = () => {
  throw new Error('secret reason')
}
const forever = () => new Promise<Reply>(() => {})

describe('an aggregate', () => {
  it('answers one request from several operations, each under its own name', async () => {
    const bench = await start(
      aggregate(
        get('/home/{shelf}', { input: z.object({ shelf: z.string(), limit: z.int().default(3) }), access: anyone() }),
        {
          products: part(products, (request) => ({ limit: request.input.limit })),
          cart: part(cart, () => ({})),
        },
      ),
    )
    const reply = await bench.fetch('/home/kitchen?limit=5', alice)
    expect(reply.status).toBe(200)
    expect(await reply.text()).toBe('{"products":["kettle"],"cart":{"lines":["KIT"],"note":"soon"}}')
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(reply.headers.get('trestle-partial')).toBeNull()
    expect(bench.calls.map((call) => [call.operation, input(call), call.caller.id, call.want, call.from])).toEqual([
      ['products', { limit: 5 }, 'alice', 'bytes', 'gateway'],
      ['cart', {}, 'alice', 'bytes', 'gateway'],
    ])
    expect(new Set(bench.calls.map(({ trace }) => trace.traceId)).size).toBe(1)
    expect(bench.records[0]).toMatchObject({ route: '/home/{shelf}', status: 200, callerId: 'alice' })
  })

  it('refuses input that is not the operation’s, before anybody is asked', async () => {
    const bench = await start(
      aggregate(get('/home', { input: z.object({ limit: z.int() }), access: anyone() }), {
        products: part(products, (request) => ({ limit: request.input.limit })),
      }),
    )
    const reply = await bench.fetch('/home?limit=many')
    expect([reply.status, await reply.json()]).toMatchObject([
      400,
      { code: 'invalid_input', errors: [{ pointer: '/limit', detail: 'must be an integer' }] },
    ])
    expect(bench.calls).toEqual([])
  })

  it('reads a body like any operation', async () => {
    const bench = await start(
      aggregate(post('/home', { input: z.object({ limit: z.int() }), access: anyone() }), {
        products: part(products, (request) => ({ limit: request.input.limit })),
      }),
    )
    const ask = (body: string, type = 'application/json') =>
      bench.fetch('/home', { method: 'POST', body, headers: { 'content-type': type } })
    expect((await ask('{"limit":4}')).status).toBe(200)
    expect(input(bench.calls[0])).toEqual({ limit: 4 })
    expect((await ask('{"limit":"4"}')).status).toBe(400)
    expect((await ask('{"limit":4}', 'text/plain')).status).toBe(415)
  })

  it('asks parts at the same time, and those that read others as soon as these are there', async () => {
    const order: string[] = []
    const waiting = new Map<string, (reply: Reply) => void>()
    const wait = (call: Call) => {
      order.push(call.operation)
      return new Promise<Reply>((resolve) => waiting.set(call.operation, resolve))
    }
    const mine = part(cart, () => ({}))
    const all = part(products, () => ({}))
    const bench = await start(
      aggregate(home, {
        advice: part(advise, [mine, all], (_, { lines, note }, list) => ({ lines: [...lines, note], products: list })),
        mine,
        all,
        more: part(products, [mine], (_, { lines }) => ({ limit: lines.length })),
      }),
      { products: wait, cart: wait, advise: wait },
    )
    const asked = bench.fetch('/home', alice)
    await expect.poll(() => order).toEqual(['cart', 'products'])
    const first = waiting.get('products')
    waiting.get('cart')?.(json({ lines: ['a'] }))
    await expect.poll(() => order).toEqual(['cart', 'products', 'products'])
    first?.(json(['p']))
    await expect.poll(() => order).toEqual(['cart', 'products', 'products', 'advise'])
    waiting.get('advise')?.(json(['x']))
    waiting.get('products')?.(json(['q']))
    expect(await (await asked).json()).toEqual({ mine: { lines: ['a'] }, all: ['p'], advice: ['x'], more: ['q'] })
    expect(input(bench.calls.find(({ operation }) => operation === 'advise'))).toEqual({
      lines: ['a', ''],
      products: ['p'],
    })
  })

  it('fails with the problem of a required part, and stops the others', async () => {
    const bench = await start(
      aggregate(home, {
        products: part(products, () => ({})),
        more: part(products, () => ({ limit: 1 })),
        cart: optional(part(cart, () => ({}))),
      }),
      {
        products: (call) =>
          input(call) !== undefined && (input(call) as { limit?: number }).limit === 1
            ? forever()
            : {
                ok: false,
                problem: {
                  code: 'shelf_unknown',
                  status: 404,
                  title: 'No shelf',
                  declared: true,
                  details: { shelf: 'x' },
                },
              },
        cart: forever,
      },
    )
    const reply = await bench.fetch('/home', alice)
    expect([reply.status, await reply.json()]).toMatchObject([
      404,
      { code: 'shelf_unknown', details: { shelf: 'x' }, instance: 'shop.products' },
    ])
    expect(bench.calls.map(({ signal }) => signal.aborted)).toEqual([false, true, true])
  })

  it('is 200 without an optional part that fails, and says what is missing and why', async () => {
    const missing = optional(part(cart, () => ({})))
    const bench = await start(
      aggregate(home, {
        products: part(products, () => ({})),
        cart: missing,
        advice: part(advise, [missing], (_, mine) => ({ lines: mine?.lines ?? ['none'], products: [] })),
        late: optional(part(products, () => ({ limit: 1 }))),
      }),
      {
        cart: () => failing('overloaded'),
        products: (call) => ((input(call) as { limit?: number }).limit === 1 ? failing('unavailable') : json(['p'])),
      },
    )
    const reply = await bench.fetch('/home', alice)
    const { partial, ...rest } = (await reply.json()) as Record<string, unknown>
    expect(reply.status).toBe(200)
    expect(rest).toEqual({ products: ['p'], cart: null, advice: ['buy'], late: null })
    expect(partial).toMatchObject([
      {
        part: 'cart',
        problem: { code: 'overloaded', status: 503, instance: 'shop.cart', type: 'urn:trestle:error:overloaded' },
      },
      { part: 'late', problem: { code: 'unavailable', status: 503, instance: 'shop.products' } },
    ])
    expect(reply.headers.get('trestle-partial')).toBe('cart, late')
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(input(bench.calls.find(({ operation }) => operation === 'advise'))).toEqual({
      lines: ['none'],
      products: [],
    })
    expect(bench.metrics.text()).toContain('trestle_gateway_missing_parts_total{route="/home",part="cart"} 1')
  })

  it('gives an optional part its own time, and all of them one deadline', async () => {
    const slow = await start(
      aggregate(get('/home', { access: anyone(), timeoutMs: 5_000 }), {
        products: part(products, () => ({})),
        late: optional(
          part(secrets, () => ({})),
          { timeoutMs: 30 },
        ),
      }),
      { secrets: forever },
    )
    const reply = await slow.fetch('/home', { headers: { authorization: 'Bearer a:secrets' } })
    expect(await reply.json()).toMatchObject({
      products: ['kettle'],
      late: null,
      partial: [{ problem: { code: 'deadline_exceeded', status: 504 } }],
    })
    expect(slow.calls[1]?.signal.aborted).toBe(true)

    const mine = part(products, () => ({}))
    const all = await start(
      aggregate(get('/home', { access: anyone(), timeoutMs: 60 }), {
        mine,
        advice: part(advise, [mine], () => ({ lines: [], products: [] })),
        extra: optional(part(products, () => ({ limit: 1 }))),
      }),
      { advise: forever },
    )
    const late = await all.fetch('/home')
    expect([late.status, await late.json()]).toMatchObject([
      504,
      { code: 'deadline_exceeded', instance: 'advisor.advise' },
    ])
    const [first, , last] = all.calls
    expect(first?.deadlineMs).toBe(last?.deadlineMs)
  })

  it('stops its parts when the client goes away', async () => {
    const bench = await start(aggregate(home, { products: part(products, () => ({})) }), { products: forever })
    const gone = new AbortController()
    const asked = bench.fetch('/home', { signal: gone.signal }).catch(() => 'gone')
    await expect.poll(() => bench.calls.length).toBe(1)
    gone.abort()
    expect(await asked).toBe('gone')
    await expect.poll(() => bench.calls[0]?.signal.aborted).toBe(true)
  })

  it('answers with `internal` when an input cannot be made, and tells nobody why but the log', async () => {
    const bench = await start(aggregate(home, { products: optional(part(products, broken)) }))
    const text = await (await bench.fetch('/home')).text()
    expect(JSON.parse(text)).toMatchObject({ products: null, partial: [{ problem: { code: 'internal' } }] })
    expect(text).not.toContain('secret reason')
    expect(bench.errors).toMatchObject([{ part: 'products' }])
  })

  it('gives only what a declared output declares', async () => {
    const Short = z.object({ lines: z.array(z.string()) })
    const declared = get('/home', { output: z.object({ cart: Short, same: Cart.nullable() }), access: anyone() })
    const bench = await start(
      aggregate(declared, { cart: part(cart, () => ({})), same: optional(part(cart, () => ({}))) }),
    )
    expect(await (await bench.fetch('/home', alice)).json()).toEqual({
      cart: { lines: ['KIT'] },
      same: { lines: ['KIT'], note: 'soon' },
    })
    const wrong = await start(
      aggregate(declared, { cart: part(cart, () => ({})), same: optional(part(cart, () => ({}))) }),
      {
        cart: () => json({ lines: 'none' }),
      },
    )
    expect((await wrong.fetch('/home', alice)).status).toBe(502)
  })

  it('takes replies as values too, and refuses one that its contract does not allow', async () => {
    const bench = await start(
      aggregate(home, {
        products: part(products, () => ({})),
        advice: optional(part(advise, () => ({ lines: [], products: [] }))),
      }),
      {
        products: () => ({ ok: true, status: 200, body: { kind: 'value', value: ['v'] } }),
        advise: () => ({ ok: true, status: 200, body: { kind: 'value', value: 7 } }),
      },
    )
    expect(await (await bench.fetch('/home')).json()).toMatchObject({
      products: ['v'],
      advice: null,
      partial: [{ problem: { code: 'bad_reply' } }],
    })
  })

  it('may not be stored when it is for one caller, or a part may not', async () => {
    const route = aggregate(home, { products: part(products, () => ({})), cart: optional(part(cart, () => ({}))) })
    const bench = await start(route)
    expect((await bench.fetch('/home', alice)).headers.get('cache-control')).toBe('no-store')
    const open = await start(aggregate(home, { products: part(products, () => ({})) }))
    expect((await open.fetch('/home')).headers.get('cache-control')).toBeNull()
    const personal = await start(aggregate(home, { products: part(products, () => ({})) }), {
      products: () => json(['p'], { 'cache-control': 'private, max-age=5' }),
    })
    expect((await personal.fetch('/home')).headers.get('cache-control')).toBe('no-store')
  })

  it('is in the document as an operation with its parts', async () => {
    const bench = await start(
      aggregate(get('/home', { summary: 'The first page', access: anyone() }), {
        products: part(products, () => ({})),
        cart: optional(part(cart, () => ({}))),
      }),
    )
    const document = bench.gateway.openapi() as {
      paths: Record<string, Record<string, unknown>>
      components: { schemas: object }
    }
    expect(document.paths['/home']?.['get']).toMatchObject({
      operationId: 'aggregates.getHome',
      summary: 'The first page',
      security: [],
      responses: {
        200: {
          headers: { 'Trestle-Partial': { schema: { type: 'string' } } },
          content: {
            'application/json': {
              schema: {
                properties: {
                  cart: { anyOf: [{ $ref: '#/components/schemas/Cart' }, { type: 'null' }] },
                  partial: { type: 'array' },
                },
                required: ['products', 'cart'],
              },
            },
          },
        },
        404: { content: { 'application/problem+json': {} } },
      },
    })
    expect(Object.keys(document.components.schemas)).toContain('Cart')
    expect(bench.gateway.routes()).toContainEqual(expect.objectContaining({ name: 'GET /home', target: 'aggregate' }))
  })

  it('makes the gateway use the contracts of its parts', () => {
    const route = aggregate(home, {
      products: part(products, () => ({})),
      advice: part(advise, () => ({ lines: [], products: [] })),
    })
    expect(gatewayUses(gateway({ routes: [route] })).map(({ id }) => id)).toEqual(['shop@1', 'advisor@1'])
  })
})

describe('an aggregate cannot', () => {
  const { inner, file, nothing, buy } = shop.operations
  const anything = (operation: unknown) => part(operation as typeof products, () => ({}))
  const mine = part(cart, () => ({}))
  const reading = part(products, [mine], () => ({}))
  const circle: { reads: AnyPart[] } & AnyPart = { ...part(products, () => ({})), reads: [] }
  circle.reads.push({ ...part(products, () => ({})), reads: [circle] })

  it.each<[string, Readonly<Record<string, AnyPart>>, RegExp]>([
    ['be empty', {}, /no parts/],
    [
      'read a part that is not there',
      { reading },
      /reading reads a part that calls shop\.cart and is not in the aggregate/,
    ],
    ['read what is there as another', { reading, mine: optional(mine) }, /read what optional gave/],
    ['read in a circle', { a: circle, b: circle.reads[0] as AnyPart }, /circle: a reads b reads a/],
    ['have one part twice', { mine, again: mine }, /mine and again are the same part/],
    ['call what does not say who may ask', { inner: anything(inner) }, /shop\.inner, which does not say who may ask/],
    ['call what has a file for a reply', { file: anything(file) }, /no one JSON reply/],
    ['call what has no reply', { nothing: anything(nothing) }, /no one JSON reply/],
    ['call what has an effect', { buy: anything(buy) }, /second effect/],
    ['have a part called partial', { partial: mine }, /partial/],
    ['have a part with an odd name', { 'my-cart': mine }, /no name of a part/],
  ])('%s', (_, parts, message) => {
    expect(() => aggregate(home, parts as never)).toThrow(message)
  })

  it('be without a route, access, or a field of its output', () => {
    expect(() => aggregate(query({ access: anyone() }), { mine })).toThrow(/needs a route/)
    expect(() => aggregate(get('/home', {}), { mine })).toThrow(/who may ask/)
    const declared = get('/home', { output: z.object({ mine: Cart, other: z.string().optional() }), access: anyone() })
    expect(() => aggregate(declared, { mine })).toThrow(/has other, and no part/)
    expect(() => aggregate(get('/home', { output: z.object({}), access: anyone() }), { mine } as never)).toThrow(/mine/)
    expect(() => aggregate(get('/home/{id}' as never, { access: anyone() }), { mine })).toThrow(/\{id\}/)
    expect(() => optional(mine, { timeoutMs: 0 })).toThrow(RangeError)
  })

  it('need a caller in a gateway that authenticates nobody', async () => {
    await expect(startBench(undefined, { authenticate: [], routes: [aggregate(home, { mine })] })).rejects.toThrow(
      /needs a signed-in caller.*authenticate/,
    )
    const open = aggregate(home, { mine: optional(mine) })
    benches.push(await startBench(undefined, { authenticate: [], routes: [open] }))
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call, Reply } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'
import { anyone, contract, get, query, scopes } from '../../contract/index.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { aggregate, cache, optional, part } from '../index.ts'

const shop = contract('shop', {
  version: '1.0.0',
  operations: {
    products: query({ output: z.array(z.string()), access: anyone() }),
    accounts: query({ output: z.array(z.string()), access: scopes('admin') }),
  },
})
const products = part(shop.operations.products, () => ({}))
const accounts = part(shop.operations.accounts, () => ({}))
const path = (name: string) => get(`/${name}`, { access: anyone() })

const benches: Bench[] = []
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()))
})
async function start(answer: (call: Call) => Reply, policies: Parameters<typeof startBench>[1] = {}): Promise<Bench> {
  const bench = await startBench(answer, {
    routes: [
      aggregate(path('all'), { products, accounts }),
      aggregate(path('some'), { products, accounts: optional(accounts) }),
      aggregate(path('through'), {
        accounts: optional(accounts),
        products: part(shop.operations.products, () => ({})),
        again: part(shop.operations.products, () => ({})),
      }),
    ],
    ...policies,
  })
  benches.push(bench)
  return bench
}
const names = (call: Call): Reply => ({
  ok: true,
  status: 200,
  body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify([call.operation])), contentType: 'application/json' },
})
const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe('an aggregate with a protected part', () => {
  it('case 7: is refused as the part itself would be, and nobody is asked', async () => {
    const bench = await start(names)
    const nobody = await bench.fetch('/all')
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="trestle"'])
    const other = await bench.fetch('/all', as('alice:user'))
    expect([other.status, await other.json()]).toMatchObject([403, { code: 'forbidden' }])
    expect(bench.calls).toEqual([])
    const admin = await bench.fetch('/all', as('root:admin'))
    expect(await admin.json()).toEqual({ products: ['products'], accounts: ['accounts'] })
    expect(bench.calls.map(({ caller }) => caller.id)).toEqual(['root', 'root'])
  })

  it('case 7: leaves an optional one out for whoever may not ask it, who cannot tell more than that', async () => {
    const bench = await start(names)
    for (const [init, code] of [
      [{}, 'unauthenticated'],
      [as('alice:user'), 'forbidden'],
      [{ headers: { 'trestle-caller': 'root', 'x-scopes': 'admin', connection: 'x-scopes' } }, 'unauthenticated'],
    ] as const) {
      const reply = await bench.fetch('/some', init)
      expect([reply.status, await reply.json()]).toMatchObject([
        200,
        { products: ['products'], accounts: null, partial: [{ part: 'accounts', problem: { code } }] },
      ])
    }
    expect(bench.calls.map(({ operation }) => operation)).toEqual(['products', 'products', 'products'])
  })

  it('case 7: does not lend its rights: a credential that is none is refused whatever the parts are', async () => {
    const bench = await start(names)
    expect((await bench.fetch('/some', as('nobody'))).status).toBe(401)
    expect(bench.calls).toEqual([])
  })
})

describe('a partial reply', () => {
  it('case 22: is never stored, not by a cache that stores everything else', async () => {
    let down = true
    const bench = await start(
      (call) =>
        call.operation === 'accounts' && down ? { ok: false, problem: platformProblem('unavailable') } : names(call),
      {
        policies: [
          cache({ ttlMs: 600_000, staleIfErrorMs: 600_000, staleWhileRevalidateMs: 600_000, allowAuthorization: true }),
        ],
      },
    )
    const ask = async (init: RequestInit = as('root:admin')) => {
      const reply = await bench.fetch('/some', init)
      const { headers } = reply
      return { partial: headers.get('trestle-partial'), stored: headers.get('cache-control'), body: await reply.json() }
    }
    const missing = { partial: 'accounts', stored: 'no-store', body: { products: ['products'], accounts: null } }
    expect(await ask()).toMatchObject(missing)
    expect(await ask()).toMatchObject(missing)
    expect(bench.calls).toHaveLength(4)
    down = false
    expect((await ask()).body).toEqual({ products: ['products'], accounts: ['accounts'] })
    // Nor what one caller may see for another.
    expect(await ask(as('alice:user'))).toMatchObject(missing)
    expect(await ask({})).toMatchObject(missing)
    down = true
    expect(await ask()).toMatchObject(missing)
  })

  it('case 22: while a whole one that is for anybody is stored', async () => {
    const bench = await startBench(names, {
      routes: [aggregate(path('open'), { products })],
      policies: [cache({ ttlMs: 600_000 })],
    })
    benches.push(bench)
    const first = await (await bench.fetch('/open')).text()
    expect(await (await bench.fetch('/open')).text()).toBe(first)
    expect(bench.calls).toHaveLength(1)
  })
})

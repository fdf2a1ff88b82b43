import { describe, expect, it } from 'vitest'
import { anonymous, type Caller } from '../call/caller.ts'
import { serviceHarness } from '../testing/service-harness.ts'
import { ordersService, stockService } from './fixtures/services.ts'
import { orders, stock } from './fixtures/shop.ts'

const reader: Caller = { kind: 'user', id: 'alice', scopes: ['orders:read'] }
const nobodySpecial: Caller = { kind: 'user', id: 'bob', scopes: ['orders:write'] }
const operator: Caller = { kind: 'operator', id: 'root', scopes: [] }
const service: Caller = { kind: 'service', id: 'carts', scopes: [] }

async function codeOf(pending: Promise<{ ok: true } | { ok: false; error: { code: string } }>): Promise<string> {
  const result = await pending
  return result.ok ? 'ok' : result.error.code
}

const ask = (caller: Caller) =>
  serviceHarness({ services: [ordersService(), stockService()] }).client(orders, { caller, from: 'gateway' })

describe('access is checked again by the callee', () => {
  it.each([
    ['scopes', anonymous, 'unauthenticated'],
    ['scopes', nobodySpecial, 'forbidden'],
    ['scopes', service, 'forbidden'],
    ['scopes', reader, 'ok'],
    ['scopes', operator, 'ok'],
    ['signed in', anonymous, 'unauthenticated'],
    ['signed in', nobodySpecial, 'ok'],
    ['signed in', service, 'ok'],
    ['anyone', anonymous, 'ok'],
  ] as const)('%s, asked by %o: %s', async (access, caller, code) => {
    const client = ask(caller)
    const calls = {
      scopes: () => client.find.try({ id: 'a' }),
      'signed in': () => client.place.try({ lines: [] }, { key: 'k' }),
      anyone: () => client.cancel.try({ id: 'a' }),
    }
    expect(await codeOf(calls[access]())).toBe(code)
  })
})

const bothServices = () => serviceHarness({ services: [ordersService(), stockService()] })

describe('where a call comes from', () => {
  it('is the gateway: only what has a route and says who may ask', async () => {
    const asGateway = { from: 'gateway', caller: operator }
    expect(await codeOf(bothServices().client(orders, asGateway).cancel.try({ id: 'a' }))).toBe('ok')
    expect(await codeOf(bothServices().client(orders, asGateway).settle.try({ id: 'a' }))).toBe('not_found')
    expect(await codeOf(bothServices().client(stock, asGateway).count.try({ sku: 's' }))).toBe('not_found')
  })

  it('is a service: only what it declares to use', async () => {
    expect(await codeOf(bothServices().client(stock, { from: 'orders' }).count.try({ sku: 's' }))).toBe('ok')
    const undeclared = await bothServices().client(orders, { from: 'stock' }).settle.try({ id: 'a' })
    expect(undeclared).toMatchObject({
      error: { code: 'undeclared_use', detail: 'stock does not declare that it uses orders@2', retry: 'no' },
    })
    expect(await codeOf(bothServices().client(orders, { from: 'unheard of' }).settle.try({ id: 'a' }))).toBe(
      'undeclared_use',
    )
  })

  it('is an operator: everything', async () => {
    expect(await codeOf(bothServices().client(stock, { from: 'operator' }).count.try({ sku: 's' }))).toBe('ok')
    expect(await codeOf(bothServices().client(orders, { from: 'operator' }).settle.try({ id: 'a' }))).toBe('ok')
  })

  it('is told before who asks: a stranger learns nothing about access', async () => {
    const stranger = bothServices().client(orders, { from: 'stock', caller: anonymous })
    expect(await codeOf(stranger.find.try({ id: 'a' }))).toBe('undeclared_use')
  })
})

const place = (key: string | undefined) =>
  serviceHarness({ services: [ordersService({ place: () => ({ id: 'o' }) })] })
    .client(orders)
    .place.try({ lines: [] }, { key } as { key: string })

describe('an idempotency key', () => {
  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one of 256 characters', 'k'.repeat(256)],
  ])('is needed: %s is refused, and the header is named', async (_, key) => {
    const result = await place(key)
    expect(result).toMatchObject({ error: { code: 'invalid_input' } })
    expect(result.ok ? '' : result.error.detail).toContain('Idempotency-Key')
  })

  it('of 255 characters is accepted', async () => {
    expect((await place('k'.repeat(255))).ok).toBe(true)
  })
})

describe('an operation after its sunset', () => {
  it('is gone, and says what to use', async () => {
    const harness = serviceHarness({ services: [ordersService()] })
    const untilSunset = Date.parse('2030-06-01') - harness.clock.now()
    harness.clock.jump(untilSunset - 1)
    expect((await harness.client(orders).old.try({})).ok).toBe(true)
    harness.clock.jump(1)
    expect(await harness.client(orders).old.try({})).toMatchObject({
      error: { code: 'gone', status: 410, detail: 'Use GET /orders/{id} instead' },
    })
  })
})

describe('an operation that the service does not have', () => {
  it('is `not_implemented`', async () => {
    const { handle } = serviceHarness({ services: [ordersService()] }).service('orders')
    const call = {
      input: { kind: 'value', value: {} },
      want: 'value',
      deadlineMs: 1_000,
      signal: new AbortController().signal,
      caller: operator,
      from: 'operator',
      trace: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), sampled: true },
      key: undefined,
    } as const
    for (const name of [
      { contract: 'orders@2', operation: 'unknown' },
      { contract: 'orders@1', operation: 'find' },
      { contract: 'orders@2', operation: '__proto__' },
    ]) {
      expect(await handle({ ...call, ...name })).toMatchObject({ problem: { code: 'not_implemented' } })
    }
  })
})

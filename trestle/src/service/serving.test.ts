import { describe, expect, it } from 'vitest'
import type { Call } from '../call/call.ts'
import { anonymous, type Caller } from '../call/caller.ts'
import { newTrace } from '../std/trace-context.ts'
import { serviceHarness } from '../testing/service-harness.ts'
import { ordersService, stockService } from './fixtures/services.ts'
import { orders, stock } from './fixtures/shop.ts'
import { implement } from './implement.ts'
import { reply } from './reply.ts'

const alice: Caller = { kind: 'user', id: 'alice', scopes: ['orders:read'] }

/** A call as it comes from the edge or another process. */
function rawCall(over: Partial<Call> = {}): Call {
  return {
    contract: orders.id,
    operation: 'find',
    input: { kind: 'value', value: { id: 'a' } },
    want: 'value',
    deadlineMs: 1_000,
    signal: new AbortController().signal,
    caller: alice,
    from: 'gateway',
    trace: newTrace(),
    key: undefined,
    ...over,
  }
}

function text(body: { kind: string; bytes?: Uint8Array }): string {
  return Buffer.from(body.bytes ?? []).toString()
}

const reserve = () => ({ reserved: 1 })
const count = () => ({ count: 1 })

describe('what crosses', () => {
  it('is a copy on the way in: neither side sees what the other does to it', async () => {
    const seen: string[][] = []
    const harness = serviceHarness({
      services: [
        ordersService({
          find: async ({ input }) => {
            await Promise.resolve()
            seen.push([...(input.tags ?? [])])
            input.tags?.push('by the callee')
            return { id: input.id, lines: [] }
          },
        }),
      ],
    })
    const given = { id: 'a', tags: ['given'] }
    const pending = harness.client(orders).find(given)
    given.tags.push('by the caller, too late')
    given.id = 'b'
    expect(await pending).toEqual({ id: 'a', lines: [] })
    expect(seen).toEqual([['given']])
    expect(given.tags).toEqual(['given', 'by the caller, too late'])
  })

  it('is copied before a call waits for a place', async () => {
    const gate = Promise.withResolvers<void>()
    const ids: string[] = []
    const harness = serviceHarness({
      services: [
        ordersService(
          {
            find: async ({ input }) => {
              ids.push(input.id)
              await gate.promise
              return { id: input.id, lines: [] }
            },
          },
          { concurrencyMax: 1 },
        ),
      ],
    })
    const client = harness.client(orders)
    const first = client.find({ id: 'first' })
    const given = { id: 'second' }
    const second = client.find(given)
    expect(harness.service('orders').waiting()).toBe(1)
    given.id = 'changed while it waited'
    gate.resolve()
    await Promise.all([first, second])
    expect(ids).toEqual(['first', 'second'])
  })

  it('is a copy on the way out', async () => {
    const kept = { id: 'a', lines: [{ sku: 's', quantity: 1 }] }
    const harness = serviceHarness({ services: [ordersService({ find: () => kept })] })
    const client = harness.client(orders)
    const got = await client.find({ id: 'a' })
    got.lines.push({ sku: 'by the caller', quantity: 9 })
    expect(kept.lines).toHaveLength(1)
    kept.lines.push({ sku: 'by the callee', quantity: 9 })
    expect(got.lines.map((line) => line.sku)).toEqual(['s', 'by the caller'])
  })

  it('is a copy in the details of a declared error', async () => {
    const details = { sku: 's' }
    const harness = serviceHarness({
      services: [stockService({ reserve: ({ fail }) => fail('out_of_stock', details) })],
    })
    const result = await harness.client(stock).reserve.try({ orderId: 'o', lines: [] }, { key: 'k' })
    details.sku = 'changed'
    expect(result).toMatchObject({ error: { details: { sku: 's' } } })
  })

  it('is the caller too, whom no handler can change', async () => {
    const harness = serviceHarness({
      services: [
        ordersService({
          find: ({ caller, input }) => {
            ;(caller.scopes as string[]).push('admin')
            return { id: input.id, lines: [] }
          },
        }),
      ],
    })
    const caller: Caller = { kind: 'user', id: 'mallory', scopes: ['orders:read'] }
    expect(await harness.client(orders, { caller }).find.try({ id: 'a' })).toMatchObject({
      error: { code: 'internal' },
    })
    expect(caller.scopes).toEqual(['orders:read'])
  })

  it('is only what the contract declares', async () => {
    const inputs: unknown[] = []
    const more = { id: 'a', lines: [], secret: 'hash' }
    const service = ordersService({ find: ({ input }) => (inputs.push(input), more) })
    const harness = serviceHarness({ services: [service] })
    expect(await harness.client(orders).find({ id: 'a', admin: true } as never)).toEqual({ id: 'a', lines: [] })
    expect(inputs).toEqual([{ id: 'a' }])
  })
})

describe('input and output', () => {
  it('that do not match the contract: the input is told to the caller, field by field', async () => {
    const harness = serviceHarness({ services: [ordersService()] })
    const got = await harness.send(rawCall({ input: { kind: 'value', value: { id: 1, tags: [true] } } }))
    expect(got).toMatchObject({ ok: false, problem: { code: 'invalid_input', status: 400, instance: 'orders.find' } })
    const pointers = got.ok ? [] : got.problem.errors?.map((fault) => fault.pointer)
    expect(pointers).toContain('/id')
  })

  it('that do not match the contract: the output is `internal`, and the log says where', async () => {
    const harness = serviceHarness({
      services: [ordersService({ find: () => ({ id: 'a', lines: 'secret' }) as never })],
    })
    const trace = newTrace()
    const got = await harness.send(rawCall({ trace }))
    expect(got).toMatchObject({ ok: false, problem: { code: 'internal', traceId: trace.traceId } })
    expect(JSON.stringify(got)).not.toContain('secret')
    expect(harness.logs).toHaveLength(1)
    expect(JSON.stringify(harness.logs[0])).toContain('/lines')
  })

  it('come from the edge as an HTTP request, and go there as bytes', async () => {
    const harness = serviceHarness({
      services: [
        ordersService({ find: ({ input }) => ({ id: input.id, lines: [], note: input.tags?.join('+') ?? '' }) }),
      ],
    })
    const input = {
      kind: 'rest',
      params: { id: '7' },
      query: 'tags=a&tags=b',
      headers: {},
      contentType: undefined,
      body: undefined,
    } as const
    const got = await harness.send(rawCall({ input, want: 'bytes' }))
    expect(got).toMatchObject({ ok: true, status: 200, body: { kind: 'bytes', contentType: 'application/json' } })
    expect(got.ok && JSON.parse(text(got.body))).toEqual({ id: '7', lines: [], note: 'a+b' })
  })

  it('may be nothing: 204 without a body', async () => {
    const harness = serviceHarness({ services: [ordersService()] })
    const got = await harness.send(rawCall({ operation: 'cancel', want: 'bytes' }))
    expect(got).toEqual({ ok: true, status: 204, body: { kind: 'empty' } })
  })

  it('have the status that the contract or the handler says', async () => {
    const harness = serviceHarness({ services: [ordersService(), stockService()] })
    const placed = await harness.send(
      rawCall({ operation: 'place', key: 'k', input: { kind: 'value', value: { lines: [] } } }),
    )
    expect(placed).toMatchObject({ ok: true, status: 201 })
    expect(await harness.client(orders).archive({ id: 'a' })).toEqual({ status: 202, body: { job: 'j' } })
    const undeclared = serviceHarness({ services: [ordersService({ archive: () => reply(206, {}) as never })] })
    expect(await undeclared.client(orders).archive.try({ id: 'a' })).toMatchObject({ error: { code: 'internal' } })
  })
})

describe('a handler', () => {
  it('gets everything in its one argument', async () => {
    const seen: unknown[] = []
    const harness = serviceHarness({
      services: [
        ordersService({
          place: async ({ caller, key, newId, now, random, timeLeftMs, trace, store }) => {
            seen.push(caller, key, newId(), now(), random(), timeLeftMs(), trace.traceId, store)
            return { id: 'o' }
          },
        }),
      ],
    })
    const trace = newTrace()
    await harness.clock.advance(500)
    await harness.client(orders, { caller: alice, trace }).place({ lines: [] }, { key: 'k', timeoutMs: 300 })
    expect(seen).toEqual([
      alice,
      'k',
      '00000000-0000-7000-8000-000000000001',
      harness.clock.now(),
      0.5,
      300,
      trace.traceId,
      undefined,
    ])
  })

  it('calls on in the same trace, for the same caller, within the same deadline', async () => {
    const seen: { caller: Caller; traceId: string; leftMs: number; key: string | undefined }[] = []
    const harness = serviceHarness({
      services: [
        ordersService(),
        stockService({
          reserve: ({ caller, trace, timeLeftMs, key }) => {
            seen.push({ caller, traceId: trace.traceId, leftMs: timeLeftMs(), key })
            return { reserved: 1 }
          },
        }),
      ],
    })
    const trace = newTrace()
    await harness.client(orders, { caller: alice, trace }).place({ lines: [] }, { key: 'k', timeoutMs: 700 })
    expect(seen).toEqual([{ caller: alice, traceId: trace.traceId, leftMs: 700, key: 'k:reserve' }])
  })

  it('may implement several contracts', async () => {
    const impl = implement([orders, stock], { name: 'everything' })
    const definition = impl.service({
      handlers: [
        {
          find: ({ input }) => ({ id: input.id, lines: [] }),
          place: () => ({ id: 'o' }),
          cancel: () => {},
          archive: () => reply(200, { archived: true }),
          old: () => ({ ok: true }),
          settle: () => {},
        },
        { count: impl.handler(stock, 'count', () => ({ count: 7 })), reserve: () => ({ reserved: 0 }) },
      ],
    })
    const harness = serviceHarness({ services: [definition] })
    expect(await harness.client(stock).count({ sku: 's' })).toEqual({ count: 7 })
    expect(await harness.client(orders).find({ id: 'a' })).toEqual({ id: 'a', lines: [] })
  })

  it('must be there for every operation, and for nothing else, also in plain JavaScript', () => {
    const impl = implement(stock)
    expect(() => impl.service({ handlers: { count: () => ({ count: 1 }) } as never })).toThrow('stock.reserve')
    expect(() => impl.service({ handlers: { reserve, count, remove: count } as never })).toThrow('remove')
    expect(() =>
      implement([stock, stock]).service({
        handlers: [
          { reserve, count },
          { reserve, count },
        ],
      }),
    ).toThrow('twice')
    expect(() => implement(stock, { concurrencyMax: 0 })).toThrow(RangeError)
  })
})

describe('a definition', () => {
  it('is plain data with defaults, and starts nothing', () => {
    const impl = implement(stock)
    const sweep = impl.every('15 minutes', 'sweep', async () => {})
    const definition = impl.service({ handlers: { reserve, count }, jobs: [sweep] })
    expect(sweep).toMatchObject({ name: 'sweep', schedule: { text: 'every 15 minutes' }, missed: 'once' })
    expect(definition).toMatchObject({
      kind: 'service',
      name: 'stock',
      contracts: [stock],
      uses: {},
      concurrencyMax: 256,
      waitingMax: 1_024,
      hooks: { jobs: [sweep] },
    })
    expect(definition.hooks.start).toBeUndefined()
  })
})

describe('an answered call', () => {
  it('is measured once, with its code and its time', async () => {
    const harness = serviceHarness({
      services: [
        ordersService({
          find: async ({ input, fail, now }) => {
            if (input.id === 'gone') return fail('order_not_found')
            await harness.clock.advance(20)
            return { id: String(now() > 0), lines: [] }
          },
        }),
      ],
    })
    const client = harness.client(orders)
    await client.find({ id: 'a' })
    await client.find.try({ id: 'gone' })
    await harness.client(orders, { caller: anonymous }).find.try({ id: 'a' })
    const labels = { service: 'orders', contract: 'orders@2', operation: 'find' }
    expect(harness.observations).toEqual([
      { ...labels, code: 'ok', durationMs: 20 },
      { ...labels, code: 'order_not_found', durationMs: 0 },
      { ...labels, code: 'unauthenticated', durationMs: 0 },
    ])
  })
})

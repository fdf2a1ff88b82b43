import { describe, expect, it } from 'vitest'
import { type PlatformCode, platformErrors } from '../contract/platform-errors.ts'
import { isCallError } from '../call/call-error.ts'
import { type Problem, platformProblem } from '../call/problem.ts'
import { newTrace } from '../std/trace-context.ts'
import { StoreError } from '../store/store-error.ts'
import type { Store, StoreSpec, WatchableStore } from '../store/store.ts'
import { serviceHarness } from '../testing/service-harness.ts'
import { ordersService, stockService } from './fixtures/services.ts'
import { orders, stock } from './fixtures/shop.ts'
import { implement } from './implement.ts'

describe('a declared error', () => {
  it('reaches the caller with its status, its details and who said it', async () => {
    const harness = serviceHarness({
      services: [
        stockService({
          reserve: ({ fail }) => fail('out_of_stock', { sku: 's' }, { detail: 'two left', retryAfterMs: 3_000 }),
        }),
      ],
    })
    const trace = newTrace()
    const result = await harness.client(stock, { trace }).reserve.try({ orderId: 'o', lines: [] }, { key: 'k' })
    expect(result).toMatchObject({
      error: {
        code: 'out_of_stock',
        declared: true,
        status: 409,
        details: { sku: 's' },
        detail: 'two left',
        retryAfterMs: 3_000,
        traceId: trace.traceId,
      },
    })
    expect(harness.logs).toEqual([])
  })

  it('has the title that the contract gives it', async () => {
    const harness = serviceHarness({
      services: [ordersService({ place: ({ fail }) => fail('cart_empty', { detail: 'add something' }) })],
    })
    const error = await harness
      .client(orders)
      .place({ lines: [] }, { key: 'k' })
      .catch((thrown: unknown) => thrown)
    expect(isCallError(error) && error.problem).toMatchObject({
      title: 'The cart is empty',
      detail: 'add something',
      instance: 'orders.place',
    })
  })

  it('whose details do not match the contract is `internal`, and logged', async () => {
    const harness = serviceHarness({
      services: [stockService({ reserve: ({ fail }) => fail('out_of_stock', { sku: 7 } as never) })],
    })
    expect(await harness.client(stock).reserve.try({ orderId: 'o', lines: [] }, { key: 'k' })).toMatchObject({
      error: { code: 'internal' },
    })
    expect(harness.logs.map((line) => line.level)).toEqual(['error'])
  })

  it('of a callee becomes ours where we declare the same code', async () => {
    const harness = serviceHarness({
      services: [ordersService(), stockService({ reserve: ({ fail }) => fail('out_of_stock', { sku: 's' }) })],
    })
    const error = await harness
      .client(orders)
      .place({ lines: [] }, { key: 'k' })
      .catch((thrown: unknown) => thrown)
    expect(isCallError(error) && error.problem).toMatchObject({
      code: 'out_of_stock',
      declared: true,
      details: { sku: 's' },
      instance: 'orders.place',
    })
    expect(harness.logs).toEqual([])
  })

  it('of a callee that we do not declare is `internal`', async () => {
    const harness = serviceHarness({
      services: [ordersService(), stockService({ reserve: ({ fail }) => fail('stock_frozen') })],
    })
    expect(await harness.client(orders).place.try({ lines: [] }, { key: 'k' })).toMatchObject({
      error: { code: 'internal', declared: false },
    })
    expect(harness.logs).toMatchObject([{ level: 'error', fields: { operation: 'orders.place' } }])
  })

  it('can be caught and answered otherwise', async () => {
    const harness = serviceHarness({
      services: [
        ordersService({
          place: async ({ call, fail }) => {
            const held = await call.stock.reserve.try({ orderId: 'o', lines: [] }, { key: 'k' })
            return held.ok || held.error.code !== 'stock_frozen' ? { id: 'o' } : fail('cart_empty')
          },
        }),
        stockService({ reserve: ({ fail }) => fail('stock_frozen') }),
      ],
    })
    expect(await harness.client(orders).place.try({ lines: [] }, { key: 'k' })).toMatchObject({
      error: { code: 'cart_empty' },
    })
  })
})

describe('an exception in a handler', () => {
  it.each([
    [
      'thrown',
      () => {
        throw new Error('password=hunter2')
      },
    ],
    ['rejected', () => Promise.reject(new Error('password=hunter2'))],
    ['that is no error', () => Promise.reject('password=hunter2' as unknown as Error)],
  ])('%s is `internal` with a trace id, logged once with its cause, and leaks nothing', async (_, handler) => {
    const harness = serviceHarness({ services: [ordersService({ find: handler as never })] })
    const trace = newTrace()
    const error = await harness
      .client(orders, { trace })
      .find({ id: 'a' })
      .catch((thrown: unknown) => thrown)
    expect(isCallError(error) && error.problem).toEqual(
      platformProblem('internal', { instance: 'orders.find', traceId: trace.traceId }),
    )
    expect(harness.logs).toHaveLength(1)
    expect(harness.logs[0]).toMatchObject({
      level: 'error',
      fields: { operation: 'orders.find', traceId: trace.traceId },
    })
    const { err } = harness.logs[0]?.fields ?? {}
    expect(String(err)).toContain('hunter2')
  })
})

/** What orders.place answers when it does not catch the failure of stock.reserve. */
async function passedOn(failure: Problem) {
  const harness = serviceHarness({
    services: [ordersService()],
    answer: async () => ({ ok: false, problem: failure }),
  })
  const error = await harness
    .client(orders)
    .place({ lines: [] }, { key: 'k' })
    .catch((thrown: unknown) => thrown)
  if (!isCallError(error)) throw new Error('the call did not fail')
  return { problem: error.problem, retry: error.retry, logs: harness.logs }
}

describe('a failure of a callee that nobody caught', () => {
  const passed = ['deadline_exceeded', 'unauthenticated', 'forbidden', 'internal', 'idempotency_cancelled'] as const
  const down = [
    'unavailable',
    'overloaded',
    'rate_limited',
    'outcome_unknown',
    'idempotency_in_progress',
    'dependency_unavailable',
  ] as const
  const all = Object.keys(platformErrors) as PlatformCode[]
  const ours = all.filter((code) => ![...passed, ...down].some((other) => other === code))

  it.each(down)('`%s` is 503 `dependency_unavailable`: it names the callee and claims no certainty', async (code) => {
    const { problem, retry } = await passedOn(platformProblem(code, { detail: 'payments.charge: unavailable' }))
    expect(problem).toMatchObject({ code: 'dependency_unavailable', status: 503, retryAfterMs: 1_000 })
    const named = code === 'dependency_unavailable' ? 'payments.charge: unavailable' : `stock.reserve: ${code}`
    expect(problem.detail).toBe(named)
    expect(retry).toBe('unknown')
  })

  it('keeps how long the callee asks to wait', async () => {
    const { problem } = await passedOn(platformProblem('overloaded', { retryAfterMs: 7_000 }))
    expect(problem.retryAfterMs).toBe(7_000)
  })

  it.each(passed)('`%s` stays what it is', async (code) => {
    expect((await passedOn(platformProblem(code))).problem).toMatchObject({ code, instance: 'orders.place' })
  })

  it('that the callee has logged is no error of ours', async () => {
    const { logs } = await passedOn(platformProblem('internal'))
    expect(logs.map((line) => line.level)).toEqual(['warn'])
  })

  it.each(ours)('`%s` is a fault of ours: `internal`', async (code) => {
    const { problem, logs } = await passedOn(platformProblem(code, { detail: 'secret' }))
    expect(problem.code).toBe('internal')
    expect(JSON.stringify(problem)).not.toContain('secret')
    expect(logs.map((line) => line.level)).toEqual(['error'])
  })
})

type Tables = Record<never, never>
interface FakeDb {
  read(): void
  write(work: () => Promise<void>): Promise<void>
}
const dbOf = (store: Store<Tables>) => store.db as unknown as FakeDb

/** Fails as told; a transaction that is not told to fail commits. */
function fakeStore(failures: readonly (StoreError | undefined)[]): WatchableStore<Tables> {
  const left = [...failures]
  return {
    get db(): never {
      throw new Error('what it writes would not be seen')
    },
    watchedDb: (around) => ({ read() {}, write: around }) as FakeDb as never,
    statement: nothing,
    async transaction<T>(work: (tx: never) => Promise<T>): Promise<T> {
      const failure = left.shift()
      if (failure !== undefined) throw failure
      return await work({} as never)
    },
  }
}

const once = (store: Store<Tables>) => store.transaction(async () => {})
const twice = async (store: Store<Tables>) => {
  await once(store)
  await once(store)
}

const readThenWrite = async (store: Store<Tables>) => {
  dbOf(store).read()
  await once(store)
}

const writeTwice = async (store: Store<Tables>) => {
  await dbOf(store).write(async () => {})
  await once(store)
}

const writeBeside = async (store: Store<Tables>) => {
  void dbOf(store).write(() => new Promise(() => {}))
  await once(store)
}

const tryTwice = async (store: Store<Tables>) => {
  await once(store).catch(() => {})
  await once(store)
}

const nothing = () => Promise.reject(new Error('not asked'))

describe('a failure of the store', () => {
  const spec: StoreSpec<Tables> = { kind: 'postgres', migrations: new URL('file:///none') }
  const away = new StoreError('unavailable', 'connect ECONNREFUSED')
  const impl = implement(orders, { name: 'orders', store: spec })
  const rest = { find: nothing, place: nothing, cancel: nothing, archive: nothing, old: nothing }

  async function codeAfter(
    failures: readonly (StoreError | undefined)[],
    handler: (store: Store<Tables>) => Promise<void>,
  ) {
    const definition = impl.service({
      handlers: { ...rest, settle: ({ store }) => handler(store) },
    })
    const harness = serviceHarness({ services: [definition], stores: { orders: fakeStore(failures) as never } })
    const result = await harness.client(orders).settle.try({ id: 'o' })
    return result.ok ? 'ok' : `${result.error.code} ${result.error.status} ${result.error.retry}`
  }
  it.each([
    ['unavailable', 'unavailable 503 safe'],
    ['overloaded', 'overloaded 503 safe'],
    ['outcome_unknown', 'outcome_unknown 503 unknown'],
    ['nested_transaction', 'internal 500 unknown'],
  ] as const)('that is the first thing to happen is told as it is: %s', async (code, told) => {
    expect(await codeAfter([new StoreError(code, 'x')], once)).toBe(told)
  })

  it('after something was written may not be told as "not processed"', async () => {
    expect(await codeAfter([undefined, away], twice)).toBe('outcome_unknown 503 unknown')
  })

  it('after a single statement wrote, or while one is on its way, may not either', async () => {
    expect(await codeAfter([away], writeTwice)).toBe('outcome_unknown 503 unknown')
    expect(await codeAfter([away], writeBeside)).toBe('outcome_unknown 503 unknown')
  })

  it('after reads alone is told as it is', async () => {
    expect(await codeAfter([away], readThenWrite)).toBe('unavailable 503 safe')
  })

  it('after one whose outcome is unknown was caught may not either', async () => {
    expect(await codeAfter([new StoreError('outcome_unknown', 'x'), away], tryTwice)).toBe(
      'outcome_unknown 503 unknown',
    )
    expect(await codeAfter([new StoreError('overloaded', 'x'), away], tryTwice)).toBe('unavailable 503 safe')
  })

  it('after another service was called may not either', async () => {
    const caller = implement(orders, {
      uses: { stock },
      store: spec,
    })
    const definition = caller.service({
      handlers: {
        ...rest,
        settle: async ({ call, store }) => {
          await call.stock.count({ sku: 's' })
          await store.transaction(async () => {})
        },
      },
    })
    const harness = serviceHarness({
      services: [definition, stockService()],
      stores: { orders: fakeStore([away]) as never },
    })
    const result = await harness.client(orders).settle.try({ id: 'o' })
    expect(result).toMatchObject({ error: { code: 'outcome_unknown' } })
  })

  it('asks to come back later, and is logged as a warning', async () => {
    const definition = impl.service({
      handlers: { ...rest, settle: () => Promise.reject(away) },
    })
    const harness = serviceHarness({ services: [definition], stores: { orders: fakeStore([]) as never } })
    const error = await harness
      .client(orders)
      .settle({ id: 'o' })
      .catch((thrown: unknown) => thrown)
    expect(isCallError(error) && error.problem.retryAfterMs).toBe(1_000)
    expect(isCallError(error) && JSON.stringify(error.problem)).not.toContain('ECONNREFUSED')
    expect(harness.logs.map((line) => line.level)).toEqual(['warn'])
  })

  it('is logged once in ten seconds with the number of those in between: an outage is not a line per call', async () => {
    const definition = impl.service({
      handlers: { ...rest, settle: () => Promise.reject(away) },
    })
    const harness = serviceHarness({ services: [definition], stores: { orders: fakeStore([]) as never } })
    const failing = (id: string) => harness.client(orders).settle.try({ id })
    for (const id of ['a', 'b', 'c']) expect((await failing(id)).ok).toBe(false)
    expect(harness.logs).toHaveLength(1)
    await harness.clock.advance(10_000)
    await failing('d')
    expect(harness.logs.map((line) => line.fields.unsaid)).toEqual([undefined, 2])
  })

  it('that was never given ends the start', () => {
    const definition = impl.service({ handlers: { ...rest, settle: nothing } })
    expect(() => serviceHarness({ services: [definition] })).toThrow(TypeError)
  })
})

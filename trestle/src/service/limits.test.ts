import { describe, expect, it } from 'vitest'
import { serviceHarness } from '../testing/service-harness.ts'
import { ordersService, stockService } from './fixtures/services.ts'
import { orders } from './fixtures/shop.ts'

/** A service whose `find` runs until the test lets it go on. */
function heldService(limits: { concurrencyMax?: number; waitingMax?: number } = {}) {
  const started: string[] = []
  const signals = new Map<string, AbortSignal>()
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const harness = serviceHarness({
    services: [
      ordersService(
        {
          find: async ({ input, signal }) => {
            started.push(input.id)
            signals.set(input.id, signal)
            const gate = Promise.withResolvers<void>()
            gates.set(input.id, gate)
            await gate.promise
            return { id: input.id, lines: [] }
          },
        },
        limits,
      ),
    ],
  })
  const find = (id: string, timeoutMs = 1_000, signal?: AbortSignal) =>
    harness.client(orders).find.try({ id }, { timeoutMs, ...(signal === undefined ? {} : { signal }) })
  /** Lets the handler of this id end. */
  const release = async (id: string) => {
    gates.get(id)?.resolve()
    await harness.clock.advance(0)
  }
  return { harness, service: harness.service('orders'), started, signals, find, release }
}

async function codeOf(pending: Promise<{ ok: true } | { ok: false; error: { code: string } }>): Promise<string> {
  const result = await pending
  return result.ok ? 'ok' : result.error.code
}

describe('concurrency', () => {
  it('is bounded: so many run, so many wait in order, the next is `overloaded` and told when to come back', async () => {
    const { find, release, started, service, harness } = heldService({ concurrencyMax: 2, waitingMax: 2 })
    const running = ['a', 'b', 'c', 'd'].map((id) => find(id))
    expect(started).toEqual(['a', 'b'])
    expect(service.inFlight()).toBe(4)
    expect(service.waiting()).toBe(2)
    expect(await find('e')).toMatchObject({ error: { code: 'overloaded', retry: 'safe' } })
    await release('b')
    expect(started).toEqual(['a', 'b', 'c'])
    await release('a')
    expect(started).toEqual(['a', 'b', 'c', 'd'])
    await release('c')
    await release('d')
    expect(await Promise.all(running.map(codeOf))).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(service.inFlight()).toBe(0)
    expect(harness.clock.pending()).toBe(0)
  })

  it('gives a place back whatever the handler does', async () => {
    const harness = serviceHarness({
      services: [ordersService({ find: () => Promise.reject(new Error('x')) }, { concurrencyMax: 1, waitingMax: 0 })],
    })
    for (const _ of [1, 2, 3]) expect(await codeOf(harness.client(orders).find.try({ id: 'a' }))).toBe('internal')
    expect(harness.service('orders').inFlight()).toBe(0)
  })

  it('lets nobody wait longer than its deadline, and runs nothing for those who gave up', async () => {
    const { find, release, started, harness } = heldService({ concurrencyMax: 1 })
    const first = find('a')
    const impatient = find('b', 10)
    const third = find('c')
    await harness.clock.advance(10)
    expect(await codeOf(impatient)).toBe('deadline_exceeded')
    await release('a')
    await release('c')
    expect(await Promise.all([first, third].map(codeOf))).toEqual(['ok', 'ok'])
    expect(started).toEqual(['a', 'c'])
  })

  it('does not wait for a place to say that the input is wrong', async () => {
    const { find, release, harness } = heldService({ concurrencyMax: 1 })
    const first = find('a')
    expect(await codeOf(harness.client(orders).find.try({ id: 1 } as never))).toBe('invalid_input')
    await release('a')
    await first
  })
})

describe('a deadline that passes while the handler runs', () => {
  it('is answered now; the handler is told, and keeps its place until it has ended', async () => {
    const { find, release, signals, service, harness, started } = heldService({ concurrencyMax: 1 })
    const late = find('a', 50)
    await harness.clock.advance(50)
    expect(await codeOf(late)).toBe('deadline_exceeded')
    expect(signals.get('a')?.reason).toMatchObject({ name: 'TimeoutError' })
    expect(service.inFlight()).toBe(1)
    const next = find('b')
    expect(started).toEqual(['a'])
    await release('a')
    expect(started).toEqual(['a', 'b'])
    await release('b')
    expect(await codeOf(next)).toBe('ok')
    expect(service.inFlight()).toBe(0)
  })

  it('is kept by the service itself, not only by its caller', async () => {
    const { harness, service } = heldService()
    const pending = service.handle({
      contract: orders.id,
      operation: 'find',
      input: { kind: 'value', value: { id: 'a' } },
      want: 'value',
      deadlineMs: 30,
      signal: new AbortController().signal,
      caller: { kind: 'operator', id: 'o', scopes: [] },
      from: 'operator',
      trace: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), sampled: true },
      key: undefined,
    })
    await harness.clock.advance(30)
    expect(await pending).toMatchObject({ problem: { code: 'deadline_exceeded', instance: 'orders.find' } })
  })

  it('is not logged as a failure when the handler stops because of it', async () => {
    const harness = serviceHarness({
      services: [
        ordersService({
          find: ({ signal }) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        }),
      ],
    })
    const pending = harness.client(orders).find.try({ id: 'a' })
    await harness.clock.advance(1_000)
    expect(await codeOf(pending)).toBe('deadline_exceeded')
    expect(harness.logs).toEqual([])
  })

  it('does not hide what goes wrong later: it is logged', async () => {
    const gate = Promise.withResolvers<never>()
    const harness = serviceHarness({ services: [ordersService({ find: () => gate.promise })] })
    const pending = harness.client(orders).find.try({ id: 'a' })
    await harness.clock.advance(1_000)
    await pending
    gate.reject(new Error('after the deadline'))
    await harness.clock.advance(0)
    expect(harness.logs).toMatchObject([{ level: 'error', fields: { operation: 'orders.find' } }])
  })

  it('reaches the callee of the callee', async () => {
    let reason: unknown
    const harness = serviceHarness({
      services: [
        ordersService(),
        stockService({
          reserve: ({ signal }) => new Promise(() => signal.addEventListener('abort', () => (reason = signal.reason))),
        }),
      ],
    })
    const pending = harness.client(orders).place.try({ lines: [] }, { key: 'k', timeoutMs: 40 })
    await harness.clock.advance(40)
    expect(await codeOf(pending)).toBe('deadline_exceeded')
    expect(reason).toMatchObject({ name: 'TimeoutError' })
    expect(harness.clock.pending()).toBe(0)
  })
})

describe('a caller that goes away', () => {
  it('stops the handler, through every hop', async () => {
    const reasons: unknown[] = []
    const harness = serviceHarness({
      services: [
        ordersService(),
        stockService({
          reserve: ({ signal }) =>
            new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
        }),
      ],
    })
    const controller = new AbortController()
    const pending = harness.client(orders).place.try({ lines: [] }, { key: 'k', signal: controller.signal })
    await harness.clock.advance(1)
    controller.abort()
    expect(await codeOf(pending)).toBe('cancelled')
    expect(reasons).toMatchObject([{ name: 'AbortError' }])
    await harness.clock.advance(0)
    expect(harness.logs).toEqual([])
    expect(harness.clock.pending()).toBe(0)
  })
})

describe('draining', () => {
  it('takes nothing new, certainly not processed, and finishes what runs and what waits', async () => {
    const { find, release, service, harness } = heldService({ concurrencyMax: 1 })
    const taken = [find('a'), find('b')]
    let drained = false
    const drain = service.drain(10_000).then(() => (drained = true))
    expect(await find('c')).toMatchObject({ error: { code: 'unavailable', retry: 'safe' } })
    await release('a')
    expect(drained).toBe(false)
    await release('b')
    await drain
    expect(await Promise.all(taken.map(codeOf))).toEqual(['ok', 'ok'])
    expect(harness.clock.pending()).toBe(0)
  })

  it('does not wait for ever: what still runs is answered `outcome_unknown`, and told to stop', async () => {
    const { find, service, harness, signals } = heldService()
    const pending = find('a')
    const drain = service.drain(100)
    await harness.clock.advance(100)
    await drain
    expect(await codeOf(pending)).toBe('outcome_unknown')
    expect(signals.get('a')?.aborted).toBe(true)
  })

  it('of an idle service is done at once', async () => {
    const { service, harness } = heldService()
    await service.drain(10_000)
    expect(harness.clock.pending()).toBe(0)
  })
})

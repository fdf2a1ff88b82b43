import { array, assert, asyncProperty, integer, option } from 'fast-check'
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { orders, stock } from '../service/fixtures/shop.ts'
import { newTrace } from '../std/trace-context.ts'
import { transactionScope } from '../std/transaction-scope.ts'
import { type VirtualClock, virtualClock } from '../testing/virtual-clock.ts'
import type { Call, Handle, Reply } from './call.ts'
import type { CallContext } from './call-context.ts'
import { CallError, isCallError } from './call-error.ts'
import type { Caller } from './caller.ts'
import { createClient } from './create-client.ts'
import { platformProblem } from './problem.ts'

const alice: Caller = { kind: 'user', id: 'alice', scopes: ['orders:read'] }
const order = { id: 'a', lines: [] }
const ok = (value: unknown): Reply => ({ ok: true, status: 200, body: { kind: 'value', value } })

/** A callee that records what it was asked, and answers as told or never. */
function callee(clock: VirtualClock, answer?: (call: Call) => Reply | Promise<Reply>) {
  const calls: Call[] = []
  const send: Handle = async (call) => {
    calls.push(call)
    return answer === undefined ? new Promise<Reply>(() => {}) : answer(call)
  }
  const client = (context: Partial<CallContext> = {}) =>
    createClient(orders, { from: 'carts', send, clock })({ caller: alice, trace: newTrace(), ...context })
  return { calls, send, client }
}

async function retryOf(code: 'unavailable' | 'outcome_unknown' | 'invalid_input') {
  const { client } = callee(virtualClock(), () => ({ ok: false, problem: platformProblem(code) }))
  const result = await client().find.try({ id: 'a' })
  return result.ok ? undefined : result.error.retry
}

function bytes(text: string, status = 200): Reply {
  return { ok: true, status, body: { kind: 'bytes', bytes: Buffer.from(text), contentType: 'application/json' } }
}

describe('a call', () => {
  it('carries who asks, on whose behalf, in which trace, until when, and with which key', async () => {
    const clock = virtualClock()
    const { calls, send } = callee(clock, () => ok({ reserved: 1 }))
    const trace = { ...newTrace(), state: 'vendor=1' }
    const client = createClient(stock, { from: 'orders', send, clock })({ caller: alice, trace })
    await client.reserve({ orderId: 'o', lines: [] }, { key: 'once' })
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({
      contract: 'stock@1',
      operation: 'reserve',
      input: { kind: 'value', value: { orderId: 'o', lines: [] } },
      from: 'orders',
      caller: alice,
      key: 'once',
      deadlineMs: clock.monotonic() + 2_000,
      trace: { traceId: trace.traceId, state: 'vendor=1', sampled: true },
    })
    expect(calls[0]?.trace.spanId).not.toBe(trace.spanId)
  })

  it('gives the output, also when the operation was taken from the client before', async () => {
    const { client } = callee(virtualClock(), () => ok(order))
    const { find } = client()
    expect(await find({ id: 'a' })).toEqual(order)
  })

  it('gives status and body where there are several success replies', async () => {
    const { client } = callee(virtualClock(), () => ({
      ok: true,
      status: 202,
      body: { kind: 'value', value: { job: 'j' } },
    }))
    expect(await client().archive({ id: 'a' })).toEqual({ status: 202, body: { job: 'j' } })
  })

  it('leaves nothing behind: no timer and no listener', async () => {
    const clock = virtualClock()
    const { client } = callee(clock, () => ok(order))
    const controller = new AbortController()
    await client({ signal: controller.signal }).find({ id: 'a' })
    expect(clock.pending()).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  it('is refused inside a transaction, and nothing is sent', async () => {
    const { client, calls } = callee(virtualClock(), () => ok(order))
    const failure = await transactionScope.run(() => client().find.try({ id: 'a' }))
    expect(failure).toMatchObject({ ok: false, error: { code: 'call_in_transaction', declared: false, retry: 'no' } })
    expect(calls).toHaveLength(0)
    expect((await client().find.try({ id: 'a' })).ok).toBe(true)
  })

  it('refuses a time limit that is none', async () => {
    const { client } = callee(virtualClock(), () => ok(order))
    for (const timeoutMs of [0, -1, Number.NaN, 3_600_001]) {
      await expect(client().find({ id: 'a' }, { timeoutMs })).rejects.toThrow(RangeError)
    }
  })
})

describe('a failed call', () => {
  const outOfStock: Reply = {
    ok: false,
    problem: {
      code: 'out_of_stock',
      status: 409,
      title: 'Out of stock',
      declared: true,
      details: { sku: 's' },
      detail: 'two left',
      traceId: 't',
    },
  }

  it('throws a CallError that says all the problem says', async () => {
    const { client } = callee(virtualClock(), () => outOfStock)
    const error = await client()
      .place({ lines: [] }, { key: 'k' })
      .catch((thrown: unknown) => thrown)
    expect(isCallError(error, orders.operations.place)).toBe(true)
    expect(error).toMatchObject({
      name: 'CallError',
      code: 'out_of_stock',
      status: 409,
      declared: true,
      details: { sku: 's' },
      detail: 'two left',
      traceId: 't',
      retry: 'no',
      operation: 'orders.place',
      message: 'orders.place: out_of_stock (two left)',
    })
  })

  it('is a value with `try`, the very error that is thrown without', async () => {
    const { client } = callee(virtualClock(), () => outOfStock)
    const result = await client().place.try({ lines: [] }, { key: 'k' })
    const thrown = await client()
      .place({ lines: [] }, { key: 'k' })
      .catch((error: unknown) => error)
    expect(isCallError(thrown)).toBe(true)
    expect(result).toEqual({ ok: false, error: thrown })
  })

  it('says whether it is safe to ask again', async () => {
    expect(await retryOf('unavailable')).toBe('safe')
    expect(await retryOf('outcome_unknown')).toBe('unknown')
    expect(await retryOf('invalid_input')).toBe('no')
    const fromTheFuture = new CallError('a.b', { code: 'not_yet_known', status: 500, title: '', declared: false })
    expect(fromTheFuture.retry).toBe('unknown')
  })

  it('has the trace id of its call when the problem has none', async () => {
    const trace = newTrace()
    const { client } = callee(virtualClock(), () => ({ ok: false, problem: platformProblem('unavailable') }))
    const result = await client({ trace }).find.try({ id: 'a' })
    expect(result).toMatchObject({ ok: false, error: { traceId: trace.traceId } })
  })

  it('is `internal` when a transport breaks its promise and rejects', async () => {
    const { client } = callee(virtualClock(), () => Promise.reject(new Error('boom')))
    expect(await client().find.try({ id: 'a' })).toMatchObject({ ok: false, error: { code: 'internal' } })
  })

  it('is nobody else: other errors are not taken for one', () => {
    expect(isCallError(new Error('x'))).toBe(false)
    expect(isCallError({ name: 'CallError', code: 'x' })).toBe(false)
    expect(isCallError(null)).toBe(false)
    expect(isCallError(new CallError('a.b', platformProblem('internal')))).toBe(true)
  })
})

describe('a reply that came as bytes', () => {
  it('is read by the contract: undeclared fields are dropped', async () => {
    const { client } = callee(virtualClock(), () => bytes('{"id":"a","lines":[],"later":1}'))
    expect(await client().find({ id: 'a' })).toEqual(order)
  })

  it.each([
    ['not JSON', bytes('{"id"')],
    ['of another shape', bytes('{"id":1,"lines":[]}')],
    ['of an undeclared status', bytes('{"id":"a","lines":[]}', 206)],
    ['empty', { ok: true, status: 200, body: { kind: 'empty' } } as Reply],
  ])('is `bad_reply` when it is %s', async (_, reply) => {
    const { client } = callee(virtualClock(), () => reply)
    expect(await client().find.try({ id: 'a' })).toMatchObject({ ok: false, error: { code: 'bad_reply' } })
  })

  it('may be empty where the operation has no output', async () => {
    const { client } = callee(virtualClock(), () => ({ ok: true, status: 204, body: { kind: 'empty' } }))
    expect(await client().settle({ id: 'a' })).toBeUndefined()
  })
})

describe('a deadline', () => {
  it('passes at the caller though the callee never answers, and the callee is told', async () => {
    const clock = virtualClock()
    const { client, calls } = callee(clock)
    const pending = client().find.try({ id: 'a' })
    await clock.advance(999)
    expect(calls[0]?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(calls[0]?.signal.aborted).toBe(true)
    expect(calls[0]?.signal.reason).toMatchObject({ name: 'TimeoutError' })
    expect(await pending).toMatchObject({ ok: false, error: { code: 'deadline_exceeded', retry: 'unknown' } })
    expect(clock.pending()).toBe(0)
  })

  it('is not moved by a reply that comes too late', async () => {
    const clock = virtualClock()
    const late = Promise.withResolvers<Reply>()
    const { client } = callee(clock, () => late.promise)
    const pending = client().find.try({ id: 'a' }, { timeoutMs: 5 })
    await clock.advance(5)
    late.resolve(ok(order))
    expect(await pending).toMatchObject({ ok: false, error: { code: 'deadline_exceeded' } })
  })

  it('that has passed already sends nothing', async () => {
    const clock = virtualClock()
    const { client, calls } = callee(clock, () => ok(order))
    await clock.advance(10)
    const result = await client({ deadlineMs: 10 }).find.try({ id: 'a' })
    expect(result).toMatchObject({ ok: false, error: { code: 'deadline_exceeded' } })
    expect(calls).toHaveLength(0)
  })

  it('never grows from hop to hop, and is no longer than each hop allows', async () => {
    const hops = array(integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 6 })
    await assert(
      asyncProperty(hops, option(integer({ min: 1, max: 100_000 }), { nil: undefined }), async (limits, first) => {
        const clock = virtualClock()
        let context: CallContext = {
          caller: alice,
          trace: newTrace(),
          ...(first === undefined ? {} : { deadlineMs: first }),
        }
        let earlier = first ?? Number.POSITIVE_INFINITY
        for (const timeoutMs of limits) {
          const { send, calls } = callee(clock, () => ok(order))
          await createClient(orders, { from: 'x', send, clock })(context).find({ id: 'a' }, { timeoutMs })
          const deadlineMs = calls[0]?.deadlineMs ?? Number.NaN
          expect(deadlineMs).toBe(Math.min(earlier, timeoutMs))
          earlier = deadlineMs
          context = { ...context, deadlineMs }
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('cancelling', () => {
  it.each(['the request', 'the call'])(
    'by the signal of %s reaches the callee, and the caller waits no longer',
    async (whose) => {
      const clock = virtualClock()
      const { client, calls } = callee(clock)
      const controller = new AbortController()
      const { signal } = controller
      const pending =
        whose === 'the call' ? client().find.try({ id: 'a' }, { signal }) : client({ signal }).find.try({ id: 'a' })
      await clock.advance(1)
      controller.abort()
      expect(await pending).toMatchObject({ ok: false, error: { code: 'cancelled', retry: 'unknown' } })
      expect(calls[0]?.signal.aborted).toBe(true)
      expect(calls[0]?.signal.reason).toMatchObject({ name: 'AbortError' })
      expect(clock.pending()).toBe(0)
    },
  )

  it('before the call sends nothing', async () => {
    const { client, calls } = callee(virtualClock(), () => ok(order))
    expect(await client().find.try({ id: 'a' }, { signal: AbortSignal.abort() })).toMatchObject({
      error: { code: 'cancelled' },
    })
    expect(calls).toHaveLength(0)
  })

  it('because the deadline of the request passed is told as that', async () => {
    const { client } = callee(virtualClock())
    const signal = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
    expect(await client({ signal }).find.try({ id: 'a' })).toMatchObject({ error: { code: 'deadline_exceeded' } })
  })
})

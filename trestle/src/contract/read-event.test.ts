import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { contract, event, type EventOptions } from './index.ts'
import { readEvent } from './read-event.ts'

const Order = z.object({ id: z.string(), total: z.object({ amount: z.int(), currency: z.string().default('EUR') }) })

function placed(options: Partial<EventOptions<typeof Order>> = {}) {
  const events = { placed: event(Order, { key: 'id', ...options }) }
  return contract('orders', { version: '1.0.0', operations: {}, events }).events.placed
}

const upcast = {
  1: (old: { id: string; sum: number }) => ({ id: old.id, amount: old.sum }),
  2: (old: { id: string; amount: number }) => ({ id: old.id, total: { amount: old.amount } }),
}
const today = { ok: true, value: { id: 'a', total: { amount: 5, currency: 'EUR' } } }

describe('reading an event', () => {
  it('gives what the contract reads: undeclared fields dropped, defaults set', () => {
    expect(readEvent(placed(), 1, '{"id":"a","total":{"amount":5},"more":1}')).toEqual(today)
  })

  it('makes earlier versions into the one of today, step by step', () => {
    const third = placed({ version: 3, upcast })
    expect(readEvent(third, 1, '{"id":"a","sum":5}')).toEqual(today)
    expect(readEvent(third, 2, '{"id":"a","amount":5}')).toEqual(today)
    expect(readEvent(third, 3, '{"id":"a","total":{"amount":5}}')).toEqual(today)
  })

  it('takes a version without an upcast as it is', () => {
    const json = '{"id":"a","total":{"amount":5}}'
    expect(readEvent(placed({ version: 3 }), 1, json)).toEqual(today)
    expect(readEvent(placed({ version: 4, upcast: { 1: upcast[1], 2: upcast[2] } }), 3, json)).toEqual(today)
  })

  it('takes a later version as long as what it knows is there', () => {
    expect(readEvent(placed(), 2, '{"id":"a","total":{"amount":5},"coupon":"X"}')).toEqual(today)
    expect(readEvent(placed(), 2, '{"id":"a","totals":[]}')).toMatchObject({
      ok: false,
      detail: 'version 2 of orders.placed does not match version 1, the last that its reader knows: /total is required',
      faults: [{ pointer: '/total' }],
    })
  })

  it('says why it cannot read', () => {
    const third = placed({ version: 3, upcast })
    expect(readEvent(third, 3, '{')).toMatchObject({ ok: false, detail: 'version 3 of orders.placed is no JSON' })
    expect(readEvent(third, 3, '{"id":"a"}')).toMatchObject({
      detail: "version 3 of orders.placed does not match its reader's contract: /total is required",
    })
    expect(readEvent(third, 1, '{"id":"a","sum":"5"}')).toMatchObject({
      detail: 'version 1 of orders.placed does not match version 3 after its upcasts: /total/amount must be an integer',
    })
    expect(readEvent(third, 1, 'null')).toMatchObject({
      detail: 'version 1 of orders.placed could not be made into version 2: upcast 1 failed',
      cause: expect.any(TypeError),
    })
  })
})

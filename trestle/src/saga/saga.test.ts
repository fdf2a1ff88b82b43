import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { command, contract, event } from '../contract/index.ts'
import { saga } from './define-saga.ts'
import { sagaBench } from './fixtures/saga-bench.ts'

const Order = z.object({ id: z.string(), total: z.number() })
const orders = contract('orders', { version: '1.0.0', operations: {}, events: { placed: event(Order, { key: 'id' }) } })
const step = () =>
  command({
    input: z.object({ id: z.string() }),
    output: z.object({ did: z.string() }),
    errors: { refused: { status: 409 } as never },
    idempotent: 'key',
  })
const callee = contract('callee', {
  version: '1.0.0',
  operations: { a: step(), b: step(), c: step(), undoA: step(), undoB: step() },
})

const checkout = saga('checkout', { on: orders.events.placed, uses: { callee } })
  .step('a', {
    run: ({ event, call }) => call.callee.a({ id: event.id }),
    undo: ({ event, call }) => call.callee.undoA({ id: event.id }),
  })
  .step('b', {
    run: ({ event, call }) => call.callee.b({ id: event.id }),
    undo: ({ event, call }) => call.callee.undoB({ id: event.id }),
  })
  .pivot('c', { run: ({ event, call }) => call.callee.c({ id: event.id }) })
  .write('settle', ({ event, tx, results }) =>
    tx.db.insertInto('settled').values({ id: event.id, how: results.b.did }).execute(),
  )
  .whenUndone(({ event, tx, failure }) =>
    tx.db.insertInto('settled').values({ id: event.id, how: failure.code }).execute(),
  )

describe('a saga', () => {
  it('runs its steps in order, each with a key of its own, and ends with its write', async () => {
    await using bench = await sagaBench([checkout])
    await bench.deliver(orders.events.placed, { id: 'o1', total: 5 })
    await bench.settled()
    expect(bench.calls.map(({ operation }) => operation)).toEqual(['a', 'b', 'c'])
    expect(new Set(bench.calls.map(({ key }) => key)).size).toBe(3)
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b' }])
  })
})

import { describe, expect, it } from 'vitest'
import { saga } from './define-saga.ts'
import { type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { callee, checkout, orders } from './fixtures/shop.ts'
import { failureOf } from './outcome.ts'

const { placed } = orders.events
const order = { id: 'o1', total: 5 }
const patience = { timeout: 60_000, interval: 10 }

const troubles = (bench: SagaBench) => bench.logs.filter(({ message }) => message.includes('saga.journal'))

describe('what a step throws', () => {
  it.each([
    ['a zero character', 'a\0b', 'ab'],
    ['half a character', 'a\ud83d', 'a\ufffd'],
    ['a text that is cut in the middle of a character', `${'x'.repeat(999)}\u{1f600}`, `${'x'.repeat(999)}\ufffd…`],
  ])('is written down although it has %s', async (_what, message, kept) => {
    const throwing = saga('throwing', { on: placed, uses: { callee } }).step('a', {
      run: () => Promise.reject(new Error(message)),
    })
    await using bench = await sagaBench([throwing])
    await bench.deliver(placed, order)
    const lastError = async () => (await bench.query('select last_error from trestle.sagas'))[0]?.['last_error']
    await bench.passUntil(async () => (await lastError()) !== null)
    expect(await lastError()).toBe(kept)
    expect(troubles(bench)).toEqual([])
  })

  it('is kept within bounds, and the same as it is read later', () => {
    const detail = 'x'.repeat(2_000)
    const large = failureOf('a', { code: 'refused', detail, details: { of: 'x'.repeat(8_192) } })
    expect(large).toEqual({ step: 'a', code: 'refused', detail: `${'x'.repeat(1_000)}…`, details: undefined })
    const details = { count: 3n, at: new Date(0) }
    const small = failureOf('a', { code: 'refused', detail: undefined, details })
    expect(small.details).toEqual({ count: '3', at: '1970-01-01T00:00:00.000Z' })
  })
})

describe('a journal that cannot be written', () => {
  it('because of one instance is stuck with that one, and the others go on', async () => {
    const poisoned = saga('poisoned', { on: placed, uses: { callee } })
      .step('a', { run: async ({ event }) => (event.id === 'o1' ? 'poison' : 'fine') })
      .step('b', { run: ({ event, call }) => call.callee.b({ id: event.id }) })
    await using bench = await sagaBench([poisoned])
    await bench.query(`alter table trestle.saga_steps add check (result <> '"poison"')`)
    for (const id of ['o1', 'o2', 'o3']) await bench.deliver(placed, { id, total: 1 })
    const states = () => bench.query('select key, state, last_error from trestle.sagas order by key')
    await expect
      .poll(async () => {
        await bench.clock.advance(250)
        return await states()
      }, patience)
      .toMatchObject([
        { state: 'stuck', last_error: expect.stringMatching(/cannot_run.*the journal cannot take/) },
        { state: 'done' },
        { state: 'done' },
      ])
    expect(bench.logs.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { key: 'o1', step: 'a' } }])
    await bench.query('alter table trestle.saga_steps drop constraint saga_steps_result_check')
    await bench.another()
    await bench.passUntil(async () => (await states())[0]?.['state'] === 'done')
    expect(bench.effects.toSorted()).toEqual(['b o1', 'b o2', 'b o3'])
  })

  it('at all is tried again until it can, and says so once a minute', async () => {
    await using bench = await sagaBench([checkout])
    await bench.query('alter table trestle.saga_steps rename to not_there')
    await bench.deliver(placed, order)
    // What is tried again counts as under way: nothing settles before it has been written.
    const passing = (look: () => unknown) => async () => {
      await bench.clock.advance(250)
      return look()
    }
    await expect
      .poll(
        passing(() => troubles(bench).length),
        patience,
      )
      .toBe(2)
    expect(bench.clock.monotonic()).toBeGreaterThanOrEqual(60_000)
    expect(troubles(bench)).toMatchObject([
      { level: 'warn', fields: { unsaid: 0, err: { code: '42P01' } } },
      { fields: { unsaid: expect.any(Number) } },
    ])
    await bench.query('alter table trestle.not_there rename to saga_steps')
    await expect
      .poll(
        passing(() => bench.rows('settled')),
        patience,
      )
      .toHaveLength(1)
    expect(bench.effects).toEqual(['a o1', 'b o1', 'c o1', 'd o1'])
  })
})

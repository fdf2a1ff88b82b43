import { describe, expect, it } from 'vitest'
import { uuidv7 } from '../std/ids.ts'
import { saga } from './define-saga.ts'
import { type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { callee, checkout, orders, twoSteps, waiting } from './fixtures/shop.ts'
import { operateSagas } from './operate.ts'

const { placed } = orders.events
const order = { id: 'o1', total: 5 }
const operate = (bench: SagaBench, definitions: Parameters<typeof operateSagas>[0]) =>
  operateSagas(definitions, {
    store: bench.store,
    clock: bench.clock,
    newId: () => uuidv7(bench.clock.now()),
    wake: () => bench.sagas.wake(),
  })

const called = (bench: SagaBench) => bench.calls.map(({ operation }) => operation)

describe('an operator', () => {
  it('sees what an instance waits for, since when and until when', async () => {
    const definition = waiting('before')
    await using bench = await sagaBench([definition])
    await bench.deliver(placed, order)
    await bench.settled()
    const now = bench.clock.now()
    expect(await operate(bench, [definition]).list()).toMatchObject([
      {
        saga: 'checkout',
        key: 'o1',
        state: 'waiting',
        waitsFor: 'the event of delivered',
        since: now,
        until: now + 3_600_000,
      },
    ])
  })

  it('reads the timeline of one, and finds those that are stuck', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = ({ operation }) => (operation === 'd' ? { declared: 'refused' } : 'ok')
    await bench.deliver(placed, order)
    await bench.settled()
    const operations = operate(bench, [checkout])
    const [stuck] = await operations.list({ state: 'stuck' })
    expect(stuck).toMatchObject({ state: 'stuck', waitsFor: 'somebody to look at d' })
    const shown = await operations.show(stuck?.id ?? '')
    expect(shown?.timeline.map(({ step, action, outcome }) => `${step} ${action} ${outcome}`)).toEqual([
      'a run done',
      'b run done',
      'c run done',
      'd stuck failed',
    ])
    expect(await operations.list({ state: 'ended' })).toEqual([])
  })

  it.each([
    ['skip', 'done', 4],
    ['continue', 'done', 5],
    ['undone', 'undone', 4],
  ] as const)('resolves a stuck one with %s, and why stands in its timeline', async (resolution, state, calls) => {
    await using bench = await sagaBench([checkout])
    bench.answer = ({ operation }) => (operation === 'd' ? { declared: 'refused' } : 'ok')
    await bench.deliver(placed, order)
    await bench.settled()
    bench.answer = () => 'ok'
    const operations = operate(bench, [checkout])
    const [stuck] = await operations.list()
    expect(await operations.resolve(stuck?.id ?? '', resolution, 'sent by hand')).toBe('resolved')
    await bench.settled()
    const shown = await operations.show(stuck?.id ?? '')
    expect(shown?.summary.state).toBe(state)
    expect(bench.calls).toHaveLength(calls)
    expect(JSON.stringify(shown?.timeline)).toContain('sent by hand')
    expect(await operations.resolve(stuck?.id ?? '', resolution, 'again')).toBe('not_stuck')
  })

  it('skips a step before a wait whose event has come already, and the instance goes on at once', async () => {
    const definition = twoSteps
      .pivot('c', { run: ({ event, call }) => call.callee.c({ id: event.id }) })
      .step('d', { run: ({ event, call }) => call.callee.d({ id: event.id }) })
      .waitFor('delivered', callee.events.delivered, { timeoutMs: 3_600_000 })
    await using bench = await sagaBench([definition])
    bench.answer = ({ operation }) => (operation === 'd' ? { declared: 'refused' } : 'ok')
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.deliver(callee.events.delivered, { id: 'o1', how: 'by post' })
    const operations = operate(bench, [definition])
    const [stuck] = await operations.list()
    expect(await operations.resolve(stuck?.id ?? '', 'skip', 'sent by hand')).toBe('resolved')
    await bench.settled()
    expect(await operations.list({ state: 'all' })).toMatchObject([{ state: 'done', waitsFor: undefined }])
  })

  it('retries one, and cancels one', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = ({ operation }) => (operation === 'd' ? { declared: 'refused' } : 'ok')
    await bench.deliver(placed, order)
    await bench.settled()
    bench.answer = () => 'ok'
    const operations = operate(bench, [checkout])
    const [stuck] = await operations.list()
    expect(await operations.cancel(stuck?.id ?? '', 'no')).toBe('past_pivot')
    expect(await operations.retry(stuck?.id ?? '')).toBe('retried')
    await bench.settled()
    expect((await operations.show(stuck?.id ?? ''))?.summary.state).toBe('done')
    expect(await operations.retry(stuck?.id ?? '')).toBe('not_waiting')
  })

  it('is told that there is no such instance', async () => {
    await using bench = await sagaBench([checkout])
    const operations = operate(bench, [checkout])
    const nobody = uuidv7()
    expect(await operations.cancel(nobody, 'why')).toBeUndefined()
    expect(await operations.retry(nobody)).toBeUndefined()
    expect(await operations.resolve(nobody, 'skip', 'why')).toBeUndefined()
  })

  it('may give any text as a reason', async () => {
    const definition = waiting('before')
    await using bench = await sagaBench([definition])
    await bench.deliver(placed, order)
    await bench.settled()
    const operations = operate(bench, [definition])
    const [waits] = await operations.list()
    const reason = `a\0b\ud83d${'x'.repeat(2_000)}`
    expect(await operations.cancel(waits?.id ?? '', reason)).toBe('undoing')
    await bench.settled()
    expect((await operations.show(waits?.id ?? ''))?.summary.state).toBe('undone')
  })
})

describe('versions of a saga', () => {
  const options = { on: placed, uses: { callee } }
  const first = saga('moving', options)
    .waitFor('delivered', callee.events.delivered, { timeoutMs: 3_600_000 })
    .step('old', { run: ({ event, call }) => call.callee.a({ id: event.id }) })
  const secondWith = (more: object) =>
    saga('moving', { ...options, version: 2, ...more }).step('new', {
      run: ({ event, call }) => call.callee.b({ id: event.id }),
    })

  it('end under the definition under which they began, while it is kept', async () => {
    const second = secondWith({ earlier: [first] })
    await using bench = await sagaBench([first])
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.sagas.close()
    const newer = await bench.another([second])
    await bench.deliver(placed, { id: 'o2', total: 1 }, newer)
    await bench.deliver(callee.events.delivered, { id: 'o1', how: 'by post' }, newer)
    await newer.settled()
    expect(called(bench).toSorted()).toEqual(['a', 'b'])
  })

  it('wait for code that knows them, and say so', async () => {
    const second = secondWith({})
    await using bench = await sagaBench([first])
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.sagas.close()
    const newer = await bench.another([second])
    await bench.deliver(callee.events.delivered, { id: 'o1', how: 'by post' }, newer)
    await newer.settled()
    expect(called(bench)).toEqual([])
    expect(await operate(bench, [second]).list()).toMatchObject([{ waitsFor: 'code that knows version 1', version: 1 }])
  })

  it('go on where the newer one says, when they are migrated', async () => {
    const second = secondWith({ migrate: { 1: () => 'new' } })
    await using bench = await sagaBench([first])
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.sagas.close()
    const newer = await bench.another([second])
    bench.clock.jump(3_600_000)
    await newer.settled()
    expect(called(bench)).toEqual(['b'])
    const [ended] = await operate(bench, [second]).list({ state: 'all' })
    expect(ended).toMatchObject({ state: 'done', version: 2 })
  })

  const third = (migrate: object) => secondWith({ version: 3, migrate })

  async function stuckBetween() {
    const bench = await sagaBench([first])
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.sagas.close()
    const wrong = await bench.another([third({ 1: () => 'nowhere' })])
    bench.clock.jump(3_600_000)
    await wrong.settled()
    await wrong.close()
    return bench
  }

  describe('that are to go on under one that cannot take them', () => {
    it('are stuck under their version, and go on with code that can', async () => {
      await using bench = await stuckBetween()
      expect(await operate(bench, [first]).list()).toMatchObject([{ state: 'stuck', version: 1 }])
      const right = await bench.another([third({ 1: () => 'new' })])
      await right.settled()
      expect(called(bench)).toEqual(['b'])
      expect(await operate(bench, [first]).list({ state: 'all' })).toMatchObject([{ state: 'done', version: 3 }])
    })

    it.each([
      ['skip', []],
      ['continue', ['b']],
    ] as const)('are resolved with %s where the newer one says', async (resolution, calls) => {
      await using bench = await stuckBetween()
      const definitions = [third({ 1: () => 'new' })]
      const operations = operate(bench, definitions)
      const [stuck] = await operations.list()
      expect(await operations.resolve(stuck?.id ?? '', resolution, 'why')).toBe('resolved')
      const right = await bench.another(definitions)
      await right.settled()
      expect(called(bench)).toEqual(calls)
      expect(await operations.list({ state: 'all' })).toMatchObject([{ state: 'done', version: 3 }])
    })

    it('are not resolved by code that does not know their version', async () => {
      await using bench = await stuckBetween()
      const operations = operate(bench, [third({})])
      const [stuck] = await operations.list()
      expect(await operations.resolve(stuck?.id ?? '', 'skip', 'why')).toBe('other_version')
      expect(await operations.list()).toMatchObject([{ state: 'stuck', version: 1 }])
    })
  })
})

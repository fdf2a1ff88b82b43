import { describe, expect, it } from 'vitest'
import { type SagaBench, type SeenCall, sagaBench } from './fixtures/saga-bench.ts'
import { callee, checkout, orders, waiting } from './fixtures/shop.ts'
import { saga } from './define-saga.ts'

const { placed } = orders.events
const { delivered } = callee.events
const order = { id: 'o1', total: 5 }
const operations = (bench: SagaBench) => bench.calls.map(({ operation }) => operation)
const keysOf = (bench: SagaBench, operation: string) =>
  new Set(bench.calls.filter((call) => call.operation === operation).map(({ key }) => key))

/** Answers one operation in its own way. */
function only(operation: string, answer: (call: SeenCall) => ReturnType<SagaBench['answer']>): SagaBench['answer'] {
  return (call) => (call.operation === operation ? answer(call) : 'ok')
}

async function stateOf(bench: SagaBench): Promise<string | undefined> {
  const [row] = await bench.query('select state from trestle.sagas')
  return row?.['state'] as string | undefined
}

describe('a saga', () => {
  it('runs its steps in order, each with a key of its own, and ends with its write', async () => {
    await using bench = await sagaBench([checkout])
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'c', 'd'])
    expect(new Set(bench.calls.map(({ key }) => key)).size).toBe(4)
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b' }])
    expect(await stateOf(bench)).toBe('done')
  })

  it('begins once for a key, however often its event comes', async () => {
    await using bench = await sagaBench([checkout])
    await bench.deliver(placed, order)
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'c', 'd'])
  })

  it("begins in a transaction of its owner's, and not when that is rolled back", async () => {
    await using bench = await sagaBench([checkout])
    await expect(
      bench.store.transaction(async (tx) => {
        await checkout.start(tx, { id: 'o2', total: 1 })
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    expect(await bench.store.transaction((tx) => checkout.start(tx, order))).toEqual({ started: true })
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b' }])
    expect(await bench.store.transaction((tx) => checkout.start(tx, order))).toEqual({ started: false })
  })

  it('undoes what has run in reverse, not the step that failed for certain, and says why at its end', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('c', () => ({ declared: 'refused' }))
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'c', 'undoB', 'undoA'])
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'c refused' }])
    expect(await stateOf(bench)).toBe('undone')
  })

  it('does not undo a step whose only call failed for certain', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('b', () => ({ declared: 'refused' }))
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'undoA'])
  })

  it('repeats what nobody knows the outcome of under the same key', async () => {
    await using bench = await sagaBench([checkout])
    let tries = 0
    bench.answer = only('b', () => (++tries < 4 ? { platform: 'outcome_unknown', effect: tries === 2 } : 'ok'))
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'done')
    expect(operations(bench).filter((each) => each === 'b').length).toBe(3)
    expect(keysOf(bench, 'b').size).toBe(1)
    expect(bench.effects.filter((each) => each === 'b o1')).toHaveLength(1)
  })

  it('undoes a step of which nobody knows anything after its time, and names its key as cancelled', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('b', () => ({ platform: 'deadline_exceeded' }))
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone', 5_000)
    expect(operations(bench).slice(-2)).toEqual(['undoB', 'undoA'])
    const [{ id }] = (await bench.rows('trestle.sagas')) as [{ id: string }]
    expect(bench.calls.slice(-2).map(({ cancels }) => cancels)).toEqual([`${id}:b`, `${id}:a`])
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b timed_out' }])
  })

  it('also undoes a step that failed for certain after a try of which nobody knows the outcome', async () => {
    await using bench = await sagaBench([checkout])
    let tries = 0
    bench.answer = only('b', () => (++tries === 1 ? { platform: 'outcome_unknown' } : { declared: 'refused' }))
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone')
    expect(operations(bench).slice(-2)).toEqual(['undoB', 'undoA'])
  })

  it('repeats its pivot for ever while the outcome is unknown, and goes on when it is known', async () => {
    await using bench = await sagaBench([checkout])
    let healthy = false
    bench.answer = only('c', () => (healthy ? 'ok' : { platform: 'deadline_exceeded' }))
    await bench.deliver(placed, order)
    const until = bench.clock.now() + 3_600_000
    await bench.passUntil(() => bench.clock.now() > until, 60_000)
    expect(await stateOf(bench)).toBe('running')
    const [row] = await bench.query('select step, tries, last_error from trestle.sagas')
    expect(row).toMatchObject({ step: 'c', last_error: expect.stringContaining('deadline_exceeded') })
    healthy = true
    await bench.passUntil(async () => (await stateOf(bench)) === 'done', 30_000)
    expect(keysOf(bench, 'c').size).toBe(1)
  })

  it('is stuck when it fails for certain after the pivot, says so once, and goes on with new code under a new key', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('d', () => ({ declared: 'refused' }))
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await stateOf(bench)).toBe('stuck')
    expect(bench.logs.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { saga: 'checkout', key: 'o1', step: 'd', code: 'refused' } },
    ])
    bench.answer = () => 'ok'
    await bench.another()
    await bench.passUntil(async () => (await stateOf(bench)) === 'done')
    expect(keysOf(bench, 'd').size).toBe(2)
  })

  it('is stuck when its undo fails for longer than its bound, and undone when new code starts', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = (call) =>
      call.operation === 'b' ? { declared: 'refused' } : call.operation === 'undoA' ? { platform: 'internal' } : 'ok'
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'stuck', 30_000)
    expect(bench.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    bench.answer = () => 'ok'
    await bench.another()
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone')
    expect(keysOf(bench, 'undoA').size).toBe(1)
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b refused' }])
  })

  it('tries a step that hangs again under the same key, and is closed while one does', async () => {
    const keys: string[] = []
    const aborted: boolean[] = []
    const hanging = saga('hanging', { on: placed, uses: { callee } })
      .pivot('a', { run: ({ event, call }) => call.callee.a({ id: event.id }) })
      .step('b', {
        run({ key, signal }) {
          keys.push(key)
          signal.addEventListener('abort', () => aborted.push(true))
          return new Promise<void>(() => undefined)
        },
      })
    await using bench = await sagaBench([hanging])
    await bench.deliver(placed, order)
    // Nothing settles while a step is being done.
    const tries = async () => {
      await bench.clock.advance(60_000)
      return keys.length
    }
    await expect.poll(tries, { timeout: 60_000, interval: 10 }).toBe(2)
    expect(bench.clock.monotonic()).toBeGreaterThanOrEqual(3_600_000)
    expect([new Set(keys).size, aborted.length]).toEqual([1, 1])
    const closed = bench.sagas.close()
    await bench.clock.advance(2_000)
    await closed
    expect(aborted).toHaveLength(2)
  })

  it('tries a write that fails again, and takes no part of it', async () => {
    let fails = 2
    const writing = saga('writing', { on: placed, uses: { callee } }).write('settle', async ({ event, tx }) => {
      await tx.db
        .insertInto('settled')
        .values({ id: event.id, how: `after ${fails}` })
        .execute()
      if (fails-- > 0) throw new Error('not yet')
    })
    await using bench = await sagaBench([writing])
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'done')
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'after 0' }])
  })

  it('is undone by a step that says fail, the calling ones included when they have called', async () => {
    const failing = saga('failing', { on: placed, uses: { callee } })
      .step('a', {
        run: ({ event, call }) => call.callee.a({ id: event.id }),
        undo: ({ event, call }) => call.callee.undoA({ id: event.id }),
      })
      .step('b', {
        async run({ event, call, fail }) {
          await call.callee.b({ id: event.id })
          return fail('too_dear', 'more than 4')
        },
        undo: ({ event, call }) => call.callee.undoB({ id: event.id }),
      })
      .whenUndone(({ event, tx, failure }) =>
        tx.db.insertInto('settled').values({ id: event.id, how: failure.detail }).execute(),
      )
    await using bench = await sagaBench([failing])
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'undoB', 'undoA'])
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'more than 4' }])
  })

  it('refuses a call of an operation that is not idempotent, and is undone', async () => {
    const wrong = saga('wrong', { on: placed, uses: { callee } }).step('charge', {
      // @ts-expect-error -- the types refuse it, too
      run: ({ event, call }) => call.callee.charge({ id: event.id }),
    })
    await using bench = await sagaBench([wrong])
    await bench.deliver(placed, order)
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone', 5_000)
    expect(operations(bench)).toEqual([])
    const [line] = await bench.query("select error from trestle.saga_steps where outcome <> 'done'")
    expect(line?.['error']).toMatch(/may not call callee\.charge.*declare the operation idempotent/)
  })
})

describe('a saga that waits', () => {
  it.each(['before', 'after'] as const)('goes on with the event, %s its pivot', async (where) => {
    await using bench = await sagaBench([waiting(where)])
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await stateOf(bench)).toBe('waiting')
    await bench.deliver(delivered, { id: 'o1', how: 'by post' })
    await bench.deliver(delivered, { id: 'o1', how: 'twice' })
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'by post' }])
    await bench.deliver(delivered, { id: 'o1', how: 'late' })
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'by post' }])
  })

  it('takes an event that came before it began', async () => {
    await using bench = await sagaBench([waiting('before')])
    await bench.deliver(delivered, { id: 'o1', how: 'early' })
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'early' }])
  })

  it('takes an event that came while it was still on its way there', async () => {
    await using bench = await sagaBench([waiting('before')])
    bench.answer = only('b', async (): Promise<'ok'> => {
      await bench.deliver(delivered, { id: 'o1', how: 'meanwhile' })
      return 'ok'
    })
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'meanwhile' }])
  })

  it('is undone when its time has passed before the pivot', async () => {
    await using bench = await sagaBench([waiting('before')])
    await bench.deliver(placed, order)
    await bench.settled()
    bench.clock.jump(3_590_000)
    await bench.settled()
    expect(await stateOf(bench)).toBe('waiting')
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone', 1_000)
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'delivered timed_out' }])
    await bench.deliver(delivered, { id: 'o1', how: 'late' })
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'undoB', 'undoA'])
  })

  it('is stuck when its time has passed after the pivot, and goes on with the event when it is tried again', async () => {
    await using bench = await sagaBench([waiting('after')])
    await bench.deliver(placed, order)
    await bench.settled()
    bench.clock.jump(3_600_000)
    await bench.passUntil(async () => (await stateOf(bench)) === 'stuck', 1_000)
    await bench.deliver(delivered, { id: 'o1', how: 'late' })
    await bench.another()
    await bench.passUntil(async () => (await stateOf(bench)) === 'done', 1_000)
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'late' }])
  })

  it('keeps its time over a clock that is put back, and loses none of its steps by it', async () => {
    await using bench = await sagaBench([waiting('before')])
    let tries = 0
    bench.answer = only('b', () => (++tries < 100 ? { platform: 'unavailable' } : 'ok'))
    await bench.deliver(placed, order)
    await bench.passUntil(() => tries > 2)
    bench.clock.jump(-3_600_000)
    const before = bench.clock.monotonic()
    await bench.passUntil(async () => (await stateOf(bench)) === 'undone')
    // Its 60 s, and not an hour more.
    expect(bench.clock.monotonic() - before).toBeLessThan(120_000)
  })

  it('waits its whole time when the clock is put back and ahead again', async () => {
    await using bench = await sagaBench([waiting('before')])
    await bench.deliver(placed, order)
    await bench.settled()
    bench.clock.jump(-3_590_000)
    await bench.passUntil(async () => bench.clock.monotonic() > 30_000, 1_000)
    bench.clock.jump(3_590_000)
    await bench.settled()
    expect(await stateOf(bench)).toBe('waiting')
  })
})

describe('cancelling', () => {
  it('undoes what has run, and what is being run, too', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('b', async (): Promise<'ok'> => {
      expect(await bench.store.transaction((tx) => checkout.cancel(tx, 'o1', 'asked for'))).toBe('undoing')
      return 'ok'
    })
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual(['a', 'b', 'undoB', 'undoA'])
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b cancelled' }])
    expect(await bench.store.transaction((tx) => checkout.cancel(tx, 'o1', 'again'))).toBe('ended')
  })

  it('comes too late once the pivot may have run', async () => {
    await using bench = await sagaBench([checkout])
    bench.answer = only('c', async (): Promise<'ok'> => {
      expect(await bench.store.transaction((tx) => checkout.cancel(tx, 'o1', 'asked for'))).toBe('past_pivot')
      return 'ok'
    })
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await stateOf(bench)).toBe('done')
  })

  it('before it begins undoes it as soon as it does', async () => {
    await using bench = await sagaBench([checkout])
    expect(await bench.store.transaction((tx) => checkout.cancel(tx, 'o1', 'asked for'))).toBe('before_start')
    await bench.deliver(placed, order)
    await bench.settled()
    expect(operations(bench)).toEqual([])
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: ' cancelled' }])
  })

  it('wakes one that waits', async () => {
    await using bench = await sagaBench([waiting('before')])
    await bench.deliver(placed, order)
    await bench.settled()
    await bench.store.transaction((tx) => waiting('before').cancel(tx, 'o1', 'asked for'))
    await bench.settled()
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'delivered cancelled' }])
  })
})

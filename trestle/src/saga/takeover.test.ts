import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { crashPoints, watchCrashPoints } from '../std/crash-points.ts'
import { type Answer, type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { haltable } from './fixtures/haltable.ts'
import { checkout, orders } from './fixtures/shop.ts'
import { randomSaga, type Shape, shapes, stepAnswers } from './fixtures/random-saga.ts'

const { placed } = orders.events
const order = { id: 'o1', total: 5 }

afterEach(() => watchCrashPoints(undefined))

async function ended(bench: SagaBench): Promise<boolean> {
  const [row] = await bench.query('select count(*)::integer as open from trestle.sagas where ended_at is null')
  return row?.['open'] === 0
}

describe('two engines over one database', () => {
  it('do each instance once, whoever begins it', async () => {
    await using bench = await sagaBench([checkout])
    const other = await bench.another()
    for (let at = 0; at < 20; at += 1) {
      await bench.deliver(placed, { id: `o${at}`, total: 1 }, at % 2 === 0 ? bench.sagas : other)
    }
    await bench.settled()
    expect(await ended(bench)).toBe(true)
    expect(bench.calls).toHaveLength(80)
  })

  it('take over what one of them had when it comes to a halt, and it can write nothing any more', async () => {
    await using bench = await sagaBench([])
    const halt = haltable(bench.store)
    const owner = await bench.another([checkout], {}, halt.store)
    bench.answer = async ({ operation }): Promise<Answer> => {
      // SIGSTOP while its second step is being called.
      if (operation === 'b' && !halt.halted) halt.halt()
      return 'ok'
    }
    await bench.deliver(placed, order, owner)
    await bench.passUntil(() => halt.halted)
    const next = await bench.another([checkout])
    await bench.passUntil(async () => {
      await next.settled()
      return ended(bench)
    })
    const before = await bench.rows('trestle.saga_steps')
    expect(await bench.rows('settled')).toHaveLength(1)
    halt.resume()
    await bench.clock.advance(20_000)
    await owner.settled()
    expect(await bench.rows('trestle.saga_steps')).toEqual(before)
    expect(bench.effects).toEqual(['a o1', 'b o1', 'c o1', 'd o1'])
  })
})

describe('the fence', () => {
  it('keeps out an engine that was taken for dead, even before the one that took over has written anything', async () => {
    await using bench = await sagaBench([])
    const halt = haltable(bench.store)
    const owner = await bench.another([checkout], {}, halt.store)
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    bench.delay = async ({ operation }) => {
      if (operation !== 'b') return
      if (!halt.halted) return halt.halt()
      asked.resolve()
      await answered.promise
    }
    await bench.deliver(placed, order, owner)
    await bench.passUntil(() => halt.halted)
    // Only now: the clock of this test runs faster than the database, and who is slow would be taken for dead.
    const next = await bench.another([checkout])
    const seen = { taken: false }
    void asked.promise.then(() => (seen.taken = true))
    for (let turns = 0; !seen.taken && turns < 4_000; turns += 1) {
      await bench.clock.advance(250)
      await Promise.race([next.settled(), asked.promise])
    }
    const lines = () => bench.query('select step, action from trestle.saga_steps order by n')
    expect(await lines()).toEqual([{ step: 'a', action: 'run' }])
    const written = Promise.withResolvers<void>()
    watchCrashPoints((point) => {
      if (point === 'saga.after-journal') written.resolve()
    })
    halt.resume()
    await written.promise
    expect(await lines()).toEqual([{ step: 'a', action: 'run' }])
    answered.resolve()
    await next.settled()
    expect(await ended(bench)).toBe(true)
  })
})

describe('a crash', () => {
  // Those that no checkout comes by on its own are in crash.test.ts.
  const points = Object.keys(crashPoints).filter(
    (point) => point.startsWith('saga.') && !/cancel|arrival|takeover|claim/.test(point),
  )

  it.each(points)('at %s loses nothing and doubles nothing', async (point) => {
    await using bench = await sagaBench([])
    const halt = haltable(bench.store)
    const owner = await bench.another([checkout], {}, halt.store)
    let fired = false
    watchCrashPoints((at) => {
      if (at !== point || fired) return
      fired = true
      halt.halt()
    })
    bench.deliver(placed, order, owner, halt.store).catch(() => undefined)
    await bench.passUntil(() => fired)
    watchCrashPoints(undefined)
    const next = await bench.another([checkout])
    // What never committed is delivered again, by whoever lives.
    if ((await bench.rows('trestle.sagas')).length === 0) await bench.deliver(placed, order, next)
    await bench.passUntil(async () => (await bench.rows('settled')).length > 0)
    await bench.passUntil(() => ended(bench))
    expect(await bench.rows('settled')).toEqual([{ id: 'o1', how: 'b' }])
    expect(bench.effects).toEqual(['a o1', 'b o1', 'c o1', 'd o1'])
  })
})

describe('any saga, with any outcomes and a crash anywhere', () => {
  it('ends with all of it done, or all of it undone in reverse, and no effect twice', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.infiniteStream(stepAnswers), fc.nat(40), async (shape, answers, crashAt) => {
        expect(await faultAfter(shape, answers[Symbol.iterator](), crashAt)).toBeUndefined()
      }),
      { numRuns: 12 },
    )
  })
})

async function faultAfter(shape: Shape, answers: Iterator<Answer>, crashAt: number): Promise<string | undefined> {
  const made = randomSaga(shape)
  await using bench = await sagaBench([])
  const halt = haltable(bench.store)
  const owner = await bench.another([made], {}, halt.store)
  bench.answer = ({ operation }) => {
    const { value } = answers.next() as { value: Answer }
    // An undo, and what stands behind the pivot, must be able to succeed: a certain failure there is for people.
    const forward = operation.startsWith('undo') || operation === 'd'
    return typeof value === 'object' && 'declared' in value && forward ? 'ok' : value
  }
  let seen = 0
  watchCrashPoints((point) => {
    if (point.startsWith('saga.') && seen++ === crashAt) halt.halt()
  })
  bench.deliver(placed, order, owner, halt.store).catch(() => undefined)
  await bench.passUntil(
    async () => halt.halted || ((await bench.rows('trestle.sagas')).length > 0 && ended(bench)),
    500,
  )
  watchCrashPoints(undefined)
  const next = await bench.another([made])
  if ((await bench.rows('trestle.sagas')).length === 0) await bench.deliver(placed, order, next)
  await bench.passUntil(() => ended(bench), 1_000)
  halt.resume()
  await bench.clock.advance(20_000)
  const [row] = await bench.query('select state from trestle.sagas')
  const effects = bench.effects.map((effect) => effect.split(' ')[0] as string)
  return faultOf(shape, row?.['state'] === 'done', effects)
}

/** What is wrong with what was done; `undefined`: nothing. */
function faultOf({ steps, pivot }: Shape, done: boolean, effects: readonly string[]): string | undefined {
  if (new Set(effects).size < effects.length) return `twice: ${effects.join()}`
  const all = pivot ? [...steps, 'c', 'd'] : steps
  const runs = effects.filter((each) => !each.startsWith('undo'))
  if (done) return effects.join() === all.join() ? undefined : `done without all: ${effects.join()}`
  // What was done was a beginning of the list; and of all that may have been done, the undos came in reverse.
  if (runs.join() !== steps.slice(0, runs.length).join()) return `undone behind the pivot: ${effects.join()}`
  const undos = effects.slice(runs.length)
  const reversed = steps.toReversed().map((name) => `undo${name.toUpperCase()}`)
  const expected = reversed.slice(reversed.length - undos.length)
  const enough = undos.length >= runs.length && undos.join() === expected.join()
  return enough ? undefined : `not undone in reverse: ${effects.join()}`
}

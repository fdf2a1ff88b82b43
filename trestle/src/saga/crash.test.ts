import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { newTrace } from '../std/trace-context.ts'
import { specOf } from './define-saga.ts'
import { haltable } from './fixtures/haltable.ts'
import { type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { callee, orders, waiting } from './fixtures/shop.ts'
import { startInstances } from './start-instances.ts'

const program = fileURLToPath(new URL('./fixtures/saga-process.ts', import.meta.url))
const definition = waiting('before')
const { placed } = orders.events
const { delivered } = callee.events
const order = { id: 'o1', total: 5 }
const byPost = { id: 'o1', how: 'by post' }
/** A busy machine takes its time to start a process. */
const patienceMs = 120_000

/** A process does something over the same database and kills itself at `place`, by which it has come `unharmed` times before. */
async function killed(bench: SagaBench, does: 'work' | 'hear' | 'cancel', place: string, unharmed = 0): Promise<void> {
  const args = [program, bench.url, String(bench.clock.now()), does, place, String(unharmed)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
}

const instances = (bench: SagaBench) =>
  bench.query('select state, owner is not null as owned, arrivals, failure from trestle.sagas')

const linesOf = (bench: SagaBench) =>
  bench.query("select concat_ws(' ', step, action, outcome) as line from trestle.saga_steps order by saga, n")

const isNow = (bench: SagaBench, state: string) => async () => (await instances(bench))[0]?.['state'] === state

async function happened(bench: SagaBench) {
  const [{ state, owned } = {}] = await instances(bench)
  const settled = await bench.rows('settled')
  return { state, owned, effects: bench.effects, settled, lines: (await linesOf(bench)).map(({ line }) => line) }
}

/** All of it, once. */
const allDone = {
  state: 'done',
  owned: false,
  effects: ['a o1', 'b o1'],
  settled: [byPost],
  lines: ['a run done', 'b run done', 'delivered wait done', 'settle write done'],
}

describe('a process that is killed', () => {
  it.each([
    ['before-claim', false],
    ['after-claim', true],
  ])('at %s leaves what is due to others', { timeout: patienceMs }, async (place, owned) => {
    await using bench = await sagaBench([])
    const beginning = { id: '0198c0de-0000-7000-8000-000000000001', key: 'o1', event: order, trace: newTrace() }
    await bench.store.transaction((tx) =>
      startInstances(tx, specOf(definition), [beginning], { nowMs: bench.clock.now(), owner: undefined }),
    )
    await killed(bench, 'work', `saga.${place}`)
    expect(await instances(bench)).toMatchObject([{ state: 'running', owned }])
    const next = await bench.another([definition])
    await bench.passUntil(isNow(bench, 'waiting'))
    await bench.deliver(delivered, byPost, next)
    await bench.settled()
    expect(await happened(bench)).toEqual(allDone)
  })

  it.each([
    ['before-takeover', true],
    ['after-takeover', false],
  ])(
    'at %s leaves to others what it was about to take from one that halts',
    { timeout: patienceMs },
    async (place, owned) => {
      await using bench = await sagaBench([])
      const halt = haltable(bench.store)
      const owner = await bench.another([definition], {}, halt.store)
      const halted = Promise.withResolvers<void>()
      bench.answer = ({ operation }) => {
        if (operation === 'b' && !halt.halted) {
          halt.halt()
          halted.resolve()
        }
        return 'ok'
      }
      // Without the passing of time: who is slow would be taken for dead by the other engine here.
      await owner.settled()
      await bench.deliver(placed, order, owner)
      await halted.promise
      // It sees the beat of the other for the first time, and five looks later, each of two seconds, for the lease's ten.
      await killed(bench, 'work', `saga.${place}`, 5)
      expect(await instances(bench)).toMatchObject([{ state: 'running', owned }])
      const next = await bench.another([definition])
      await bench.passUntil(isNow(bench, 'waiting'))
      await bench.deliver(delivered, byPost, next)
      await bench.settled()
      expect(await happened(bench)).toEqual(allDone)
      halt.resume()
      await bench.clock.advance(20_000)
      await owner.settled()
      expect(await happened(bench)).toEqual(allDone)
    },
  )

  it.each(['before-arrival', 'after-arrival'])(
    'at %s has noted nothing, and the event counts when it comes again',
    { timeout: patienceMs },
    async (place) => {
      await using bench = await sagaBench([definition])
      await bench.deliver(placed, order)
      await bench.settled()
      await killed(bench, 'hear', `saga.${place}`)
      expect(await instances(bench)).toMatchObject([{ state: 'waiting', arrivals: {} }])
      await bench.deliver(delivered, byPost)
      await bench.settled()
      expect(await happened(bench)).toEqual(allDone)
    },
  )

  it('at after-arrival of an event that is too early leaves no instance behind, and the event counts when it comes again', {
    timeout: patienceMs,
  }, async () => {
    await using bench = await sagaBench([definition])
    await killed(bench, 'hear', 'saga.after-arrival')
    expect(await instances(bench)).toEqual([])
    await bench.deliver(delivered, byPost)
    expect(await instances(bench)).toMatchObject([{ state: 'expected' }])
    await bench.deliver(placed, order)
    await bench.settled()
    expect(await happened(bench)).toEqual(allDone)
  })

  it.each(['before-cancel', 'after-cancel'])(
    'at %s has turned nothing round: asked again it is undone once',
    { timeout: patienceMs },
    async (place) => {
      await using bench = await sagaBench([definition])
      await bench.deliver(placed, order)
      await bench.settled()
      await killed(bench, 'cancel', `saga.${place}`)
      expect(await instances(bench)).toMatchObject([{ state: 'waiting', failure: null }])
      const cancelled = await bench.store.transaction((tx) => definition.cancel(tx, 'o1', 'asked for'))
      expect(cancelled).toBe('undoing')
      await bench.settled()
      expect(await happened(bench)).toMatchObject({
        state: 'undone',
        effects: ['a o1', 'b o1', 'undoB o1', 'undoA o1'],
        settled: [{ id: 'o1', how: 'delivered cancelled' }],
        lines: ['a run done', 'b run done', 'delivered cancel done', 'b undo done', 'a undo done', 'end done'],
      })
    },
  )

  it('at after-cancel keeps nobody from going on: not asked again, it is done', { timeout: patienceMs }, async () => {
    await using bench = await sagaBench([definition])
    await bench.deliver(placed, order)
    await bench.settled()
    await killed(bench, 'cancel', 'saga.after-cancel')
    await bench.deliver(delivered, byPost)
    await bench.settled()
    expect(await happened(bench)).toEqual(allDone)
  })
})

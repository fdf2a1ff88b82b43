import { describe, expect, it } from 'vitest'
import { handBus, moveOf } from '../service/subscriptions/fixtures/inbox-harness.ts'
import { startSubscriptions } from '../service/subscriptions/start-subscriptions.ts'
import { systemClock } from '../std/clock.ts'
import { uuidv7 } from '../std/ids.ts'
import { formatTraceparent, newTrace } from '../std/trace-context.ts'
import { type Arrival, noteArrivals } from './arrivals.ts'
import { specOf } from './define-saga.ts'
import { type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { callee, waiting } from './fixtures/shop.ts'
import type { Instance } from './instance.ts'
import { Journal } from './journal.ts'
import { startInstances } from './start-instances.ts'
import { runWithin } from './statement.ts'

const definition = waiting('before')
const spec = specOf(definition)
const trace = newTrace()
const owner = uuidv7()

function start(bench: SagaBench, keys: readonly string[]): Promise<Instance[]> {
  const beginnings = keys.map((key) => ({ id: uuidv7(), key, event: { id: key, total: 5 }, trace }))
  return bench.store.transaction((tx) => startInstances(tx, spec, beginnings, { nowMs: 0, owner }))
}

function arrive(bench: SagaBench, keys: readonly string[], event = 'delivered'): Promise<number> {
  const arrivals = keys.map((key): Arrival => ({ key, event, payload: '{}' }))
  const more = { nowMs: 0, newId: () => uuidv7(), traceparent: formatTraceparent(trace) }
  return bench.store.transaction((tx) => noteArrivals(tx, spec, arrivals, more))
}

/** Writes a step of each with one statement. @throws Error when it has to be repeated */
async function write({ store }: SagaBench, instances: readonly Instance[]): Promise<void> {
  const failures: unknown[] = []
  const journal = new Journal({
    store,
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    onFailure: (error) => failures.push(error),
  })
  const steps = instances.map((instance) => ({ instance, entries: [], move: { place: instance.place, keep: true } }))
  await Promise.all(steps.map((step) => journal.write(step)))
  expect(failures).toEqual([])
}

/** Begins one after the other while somebody else has the row of `key`: the next when the last waits. Then that row is free. */
async function meet(bench: SagaBench, key: string, works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const locked = Promise.withResolvers<void>()
  const free = Promise.withResolvers<void>()
  const holder = bench.store.transaction(async (tx) => {
    await runWithin(tx, 'select from trestle.sagas where key = $1 for update', [key])
    locked.resolve()
    await free.promise
  })
  await locked.promise
  const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  const begun: Promise<unknown>[] = []
  for (const work of works) {
    begun.push(work())
    await expect.poll(() => bench.query(waits), { timeout: 20_000 }).toHaveLength(begun.length)
  }
  free.resolve()
  await Promise.all([holder, ...begun])
}

const written = (bench: SagaBench) => bench.query('select key from trestle.sagas where revision = 1 order by key')

describe('events that come for several instances', () => {
  it.each(['without', 'with'])(
    'meet those that write their journals in one order, %s statistics',
    async (statistics) => {
      await using bench = await sagaBench([])
      // Whoever reads the table from end to end comes by the first key last.
      const others = Array.from({ length: 30 }, (_, n) => `other ${n}`)
      const [b, c] = await start(bench, ['c', 'b', ...others])
      const [a] = await start(bench, ['a'])
      if (statistics === 'with') await bench.query('analyze trestle.sagas')
      const instances = [c, b, a] as Instance[]
      await meet(bench, 'a', [() => arrive(bench, ['b', 'a', 'c']), () => write(bench, instances)])
      expect(await written(bench)).toEqual([{ key: 'a' }, { key: 'b' }, { key: 'c' }])
    },
  )

  it('meet them in one order also when many come at once', async () => {
    await using bench = await sagaBench([])
    const instances = await start(bench, ['a', 'b'])
    const bus = handBus()
    const { subscriptions } = await bench.another([definition])
    const log = { info() {}, warn() {}, error() {} }
    const running = await startSubscriptions(subscriptions, {
      service: 'owner',
      process: 'p1',
      store: bench.store,
      bus,
      callsFor: () => ({}),
      clock: systemClock,
      random: Math.random,
      log,
    })
    const keys = ['b', ...Array.from({ length: 998 }, (_, n) => `other ${n}`), 'a']
    const events = keys.map((id) =>
      moveOf(id, 1, { stream: callee.id, type: 'delivered', payload: JSON.stringify({ id, how: 'by post' }) }),
    )
    const { sink } = bus.consumer(`saga.checkout.${callee.id}`)
    await meet(bench, 'b', [() => sink.accept(events, undefined), () => write(bench, instances)])
    expect(await written(bench)).toEqual([{ key: 'a' }, { key: 'b' }])
    await running.stop()
  })

  it('meet those that begin them in one order', async () => {
    await using bench = await sagaBench([])
    await arrive(bench, ['a', 'b'])
    await meet(bench, 'a', [() => arrive(bench, ['b', 'a'], 'paid'), () => start(bench, ['b', 'a'])])
    expect(await bench.query(`select key from trestle.sagas where state = 'running'`)).toHaveLength(2)
  })
})

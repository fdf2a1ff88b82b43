import { expect, it } from 'vitest'
import { handBus, moveOf } from '../service/subscriptions/fixtures/inbox-harness.ts'
import { listBlocked } from '../service/subscriptions/operate.ts'
import { startSubscriptions } from '../service/subscriptions/start-subscriptions.ts'
import { systemClock } from '../std/clock.ts'
import { uuidv7 } from '../std/ids.ts'
import type { SubscriptionDefinition } from '../store/inbox/subscription.ts'
import { openStore } from '../store/open-store.ts'
import { postgres } from '../store/postgres.ts'
import { type SagaBench, sagaBench } from './fixtures/saga-bench.ts'
import { checkout, orders } from './fixtures/shop.ts'
import { startSagas } from './start-sagas.ts'

const triesMax = 2
const log = { info() {}, warn() {}, error() {} }

const placed = (id: string) =>
  moveOf(id, 1, { stream: orders.id, type: 'placed', payload: JSON.stringify({ id, total: 5 }) })

/** A process that handles the events of a saga, and dies of one of them: its connections are cut. */
async function startProcess(bench: SagaBench) {
  const store = openStore(
    postgres<unknown>({ migrations: new URL('./', import.meta.url) }),
    { url: bench.url, poolMax: 6 },
    { drainMs: 0 },
  )
  const bus = handBus()
  const common = { service: 'owner', store, clock: systemClock, random: Math.random, log }
  const sagas = startSagas([checkout], {
    ...common,
    newId: () => uuidv7(),
    send: () => Promise.reject(new Error('away')),
  })
  const died = Promise.withResolvers<void>()
  const definitions = sagas.subscriptions.map(
    (each): SubscriptionDefinition => ({
      ...each,
      triesMax,
      async run(deliveries, args) {
        if (!deliveries.some(({ meta }) => meta.key === 'poison')) return each.run(deliveries, args)
        died.resolve()
        await new Promise(() => undefined)
      },
    }),
  )
  const limits = { retryBaseMs: 1, retryMaxMs: 5, pollMs: 20, stopTimeoutMs: 1 }
  const running = await startSubscriptions(definitions, { ...common, process: 'p1', bus, callsFor: () => ({}), limits })
  return {
    died: died.promise,
    sink: bus.consumer(definitions[0]?.name ?? '').sink,
    async crash() {
      await store.close()
      await Promise.all([running.stop(), sagas.close()])
    },
  }
}

it('an event that ends each process of a saga that hears of it is parked, and the instances of the others begin', async () => {
  await using bench = await sagaBench([])
  const live = async () => {
    const process = await startProcess(bench)
    process.sink.accept([placed('poison'), placed('o1')], undefined).catch(() => undefined)
    return process
  }
  // The first death makes those after it careful: only then are tries counted.
  for (let deaths = 0; deaths < 1 + triesMax; deaths += 1) {
    const process = await live()
    await process.died
    await process.crash()
  }
  const last = await live()
  const parked = { key: 'poison', why: 'parked', tries: triesMax + 1 }
  await expect.poll(() => listBlocked(bench.store), { timeout: 10_000 }).toMatchObject([parked])
  expect(await bench.query('select key from trestle.sagas')).toEqual([{ key: 'o1' }])
  await last.crash()
})

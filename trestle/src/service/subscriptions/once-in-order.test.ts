import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchCrashPoints } from '../../std/crash-points.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import { subscriptionViews } from '../../store/inbox/inbox-views.ts'
import type { EventEnvelope } from '../../store/outbox/event-envelope.ts'
import type { Tx } from '../../store/store.ts'
import { testStores } from '../../testing/postgres/shared-postgres.ts'
import { handBus, type InboxHarness, inboxHarness, type InboxTables, moveOf, moves } from './fixtures/inbox-harness.ts'

/** What happens to the events of a run. */
interface Story {
  /** How many events each key has. */
  readonly lengths: readonly number[]
  /** Where the deliveries are cut into batches, where they repeat, and how they are mixed. */
  readonly seed: number
  /** Events come in the order of their keys, or in any. */
  readonly ordered: boolean
  /** The place, and the how-manieth time it is come to, at which something breaks; then everything is delivered again. */
  readonly breaks: readonly { readonly point: string; readonly time: number }[]
  readonly batchMax: number
  /** Types that nobody wants, every so many. */
  readonly unwantedEvery: number
}

const points = [
  'inbox.before-accept',
  'inbox.before-accept-commit',
  'inbox.after-accept-commit',
  'inbox.before-arrival',
  'inbox.after-batch-handler',
  'inbox.before-arrival-commit',
  'inbox.after-arrival-commit',
  'inbox.before-claim',
  'inbox.after-claim',
  'inbox.after-handler',
  'inbox.before-done',
  'inbox.after-handled-commit',
] as const

const stories: fc.Arbitrary<Story> = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  ordered: fc.boolean(),
  breaks: fc.array(fc.record({ point: fc.constantFrom(...points), time: fc.integer({ min: 1, max: 4 }) }), {
    maxLength: 4,
  }),
  batchMax: fc.constantFrom(1, 3, 100),
  unwantedEvery: fc.constantFrom(0, 2, 3),
})

/** Numbers that look random, the same for a seed. */
function draws(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

function eventsOf({ lengths, unwantedEvery }: Story): readonly EventEnvelope[] {
  return lengths.flatMap((length, key) =>
    Array.from({ length }, (_, index) => {
      const n = index + 1
      const unwanted = unwantedEvery > 0 && n % unwantedEvery === 0
      return moveOf(`k${key}`, n, unwanted ? { payload: undefined, type: 'seen' } : {})
    }),
  )
}

/** Deliveries of batches: each event at least once, some twice, keys mixed; in the order of keys, or not. */
function deliveriesOf(story: Story, events: readonly EventEnvelope[]): readonly (readonly EventEnvelope[])[] {
  const draw = draws(story.seed)
  const queues = story.lengths.map((_, key) => events.filter((event) => event.key === `k${key}`))
  const sent: EventEnvelope[] = []
  while (queues.some((queue) => queue.length > 0)) {
    const open = queues.filter((queue) => queue.length > 0)
    const queue = open[draw(open.length)] as EventEnvelope[]
    sent.push(...queue.splice(story.ordered ? 0 : draw(queue.length), 1))
    // A bus that keeps the order repeats from a place on: what was sent lately comes again as it was.
    if (draw(4) === 0)
      sent.push(...(story.ordered ? sent.slice(-1 - draw(3)) : sent.slice(draw(sent.length), draw(sent.length) + 2)))
  }
  const batches: EventEnvelope[][] = []
  while (sent.length > 0) batches.push(sent.splice(0, 1 + draw(5)))
  return batches
}

class Broken extends Error {}

const definition = ({ batchMax }: Story): SubscriptionDefinition => ({
  name: 'moves',
  events: [moves.events.moved],
  mode: 'transaction',
  batchMax,
  from: 'earliest',
  triesMax: 1_000,
  concurrencyMax: 3,
  async run(deliveries, { tx }) {
    const rows = deliveries.map(({ event }) => event as InboxTables['effects'])
    await (tx as Tx<InboxTables>).db.insertInto('effects').values(rows).execute()
  },
})

const numbersOf = (rows: readonly { readonly key: string; readonly n: number }[], key: string) =>
  rows.filter((row) => row.key === key).map(({ n }) => n)

describe('whatever comes twice, in another order, or breaks off in between', () => {
  let harness: InboxHarness
  let stores: Awaited<ReturnType<typeof testStores>>
  beforeAll(async () => {
    stores = await testStores()
    harness = await inboxHarness(stores)
  })
  afterAll(async () => {
    watchCrashPoints(undefined)
    await harness[Symbol.asyncDispose]()
    await stores.close()
  })

  /** Everything of a story; what breaks is delivered again by the bus, or tried again by whoever handles. */
  async function tell(story: Story): Promise<void> {
    const left = new Map<string, number[]>()
    for (const { point, time } of story.breaks) left.set(point, [...(left.get(point) ?? []), time])
    const seen = new Map<string, number>()
    watchCrashPoints((point) => {
      const time = (seen.get(point) ?? 0) + 1
      seen.set(point, time)
      if (left.get(point)?.includes(time) === true) throw new Broken(point)
    })
    const bus = () => handBus({ order: story.ordered ? 'key' : 'none' })
    const first = await harness.start([definition(story)], { bus: bus(), process: 'p1' })
    const second = await harness.start([definition(story)], { bus: bus(), process: 'p2' })
    const draw = draws(story.seed + 1)
    for (const batch of deliveriesOf(story, eventsOf(story))) {
      // Brokers hand events of one subscription to any of its processes; in order only where they promise it.
      const { sink } = (draw(2) === 0 ? first : second).bus.consumer('moves')
      for (let tries = 0; ; tries += 1) {
        try {
          await sink.accept(batch, undefined)
          break
        } catch (error) {
          if (!(error instanceof Broken) || tries > 20) throw error
        }
      }
    }
  }

  const waiting = async () => (await subscriptionViews(harness.store.db, 'moves'))[0]?.waiting

  it('is handled once in effect, in the order of its key', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        await harness.clear()
        const wanted = eventsOf(story).filter(({ payload }) => payload !== undefined)
        await tell(story)
        await expect.poll(waiting, { timeout: 10_000, interval: 5 }).toBe(0)
        const rows = await harness.effects()
        for (const key of new Set(wanted.map((event) => event.key))) {
          const expected = wanted.filter((event) => event.key === key).map(({ keyVersion }) => keyVersion)
          expect(numbersOf(rows, key)).toEqual(expected)
        }
        expect(rows).toHaveLength(wanted.length)
      }),
      { numRuns: 40, endOnFailure: false, interruptAfterTimeLimit: 25_000 },
    )
  }, 60_000)
})

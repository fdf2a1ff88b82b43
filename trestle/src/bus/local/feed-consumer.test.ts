import { expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { StoreError } from '../../store/store-error.ts'
import type { EventEnvelope, EventPosition } from '../../store/outbox/event-envelope.ts'
import type { EventFeed } from '../../store/outbox/event-feed.ts'
import { FeedConsumer } from './feed-consumer.ts'

const until = (xid: string): EventPosition => ({ epoch: 1, xid, seq: '9' })
const never = () => Promise.reject(new Error('nobody asks'))

it.each(['Some of the events behind this position are no longer kept', 'The database was put back'])(
  'says why a place is lost as the publisher says it: %s',
  async (why) => {
    const said = Promise.withResolvers<{ readonly fields: object; readonly message: string }>()
    const lost = () => Promise.reject(new StoreError('feed_position_lost', why))
    const consumer = new FeedConsumer(
      {
        stream: 'orders@1',
        service: 'reports',
        subscription: 'orders.placed',
        types: ['placed'],
        sink: {
          position: async () => ({ kind: 'earliest' }),
          accept: async () => undefined,
          ready: async () => undefined,
        },
      },
      {
        feedFor: () => ({ read: lost, head: lost, positionAt: lost }),
        clock: systemClock,
        random: Math.random,
        log: { info() {}, warn() {}, error: (fields, message) => said.resolve({ fields, message }) },
        deliveries: 1,
      },
    )
    const { fields, message } = await said.promise
    await consumer.close()
    expect(fields).toMatchObject({ subscription: 'orders.placed', stream: 'orders@1' })
    expect(message).toBe(`the place of this subscription in orders@1 is lost; replay it from a time (${why})`)
  },
)

it.each([1, 2] as const)(
  'begins where a replay says, and notes nothing of what it had waited for before it (deliveries: %i)',
  async (deliveries) => {
    const event = { id: 'e', stream: 'orders@1', position: until('3') } as EventEnvelope
    const reads = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const noted: (readonly [events: number, xid: string | undefined])[] = []
    const done = Promise.withResolvers<undefined>()
    let turn = new AbortController()
    let isReplayed = false
    let read = 0
    const feed: EventFeed['read'] = async ({ after, signal }) => {
      reads[read++]?.resolve(undefined)
      if (after === undefined) return { events: [event], next: until('8'), caughtUp: true }
      // As the end of a stream does: whoever gives up is told up to where there was nothing.
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      return { events: [], next: until('7'), caughtUp: true }
    }
    const consumer = new FeedConsumer(
      {
        stream: 'orders@1',
        service: 'reports',
        subscription: 'orders.placed',
        types: ['placed'],
        sink: {
          position: async () => {
            if (isReplayed && noted.length === 0) return { kind: 'earliest' }
            return { kind: 'position', position: until(isReplayed ? '8' : '5') }
          },
          accept: async (events, next) => {
            noted.push([events.length, next?.xid])
            if (noted.length === deliveries) done.resolve(undefined)
          },
          ready: async () => undefined,
          get turned() {
            return turn.signal
          },
        },
      },
      {
        feedFor: () => ({ read: feed, head: never, positionAt: never }),
        clock: systemClock,
        random: Math.random,
        log: { info() {}, warn() {}, error() {} },
        deliveries,
      },
    )
    await reads[0]?.promise
    const before = turn
    turn = new AbortController()
    isReplayed = true
    before.abort(new Error('the place of the subscription has changed'))
    await done.promise
    await consumer.close()
    expect(noted).toEqual(Array.from({ length: deliveries }, () => [1, '8']))
  },
)

it('asks for the types that are wanted now when the sink has turned', async () => {
  const asked: (readonly string[] | undefined)[] = []
  const again = Promise.withResolvers<undefined>()
  let types = ['placed']
  let turn = new AbortController()
  const read: EventFeed['read'] = async ({ types: wanted, signal }) => {
    asked.push(wanted)
    if (asked.length === 2) again.resolve(undefined)
    if (asked.length === 1) {
      const before = turn
      turn = new AbortController()
      types = ['placed', 'paid']
      before.abort(new Error('replicas of another version want more'))
    }
    if (signal?.aborted !== true) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    return { events: [], next: until('7'), caughtUp: true }
  }
  const sink = {
    position: async () => ({ kind: 'position', position: until('5') }) as const,
    accept: async () => undefined,
    ready: async () => undefined,
    get turned() {
      return turn.signal
    },
  }
  const consumer = new FeedConsumer(
    {
      stream: 'orders@1',
      service: 'reports',
      subscription: 'orders',
      get types() {
        return types
      },
      sink,
    },
    {
      feedFor: () => ({ read, head: never, positionAt: never }),
      clock: systemClock,
      random: Math.random,
      log: { info() {}, warn() {}, error() {} },
      deliveries: 1,
    },
  )
  await again.promise
  await consumer.close()
  expect(asked).toEqual([['placed'], ['placed', 'paid']])
})

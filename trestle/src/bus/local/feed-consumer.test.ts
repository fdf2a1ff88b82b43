import { expect, it } from 'vitest'
import { systemClock } from '../../std/clock.ts'
import { StoreError } from '../../store/store-error.ts'
import { FeedConsumer } from './feed-consumer.ts'

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

import { describe, expect, it } from 'vitest'
import { memoryFeed } from '../../testing/memory-feed.ts'
import { BatchSize, fitting } from './batch-size.ts'

async function batchOf(count: number, characters: number) {
  const feed = memoryFeed('large@1')
  feed.publish(count, 'a', 'moved', JSON.stringify('x'.repeat(characters - 2)))
  return await feed.read({ stream: 'large@1', after: undefined, max: count })
}

describe('how many events are asked for', () => {
  it('grows while they are small, and shrinks when they are large', async () => {
    const size = new BatchSize()
    const small = await batchOf(10, 300)
    const grown = Array.from({ length: 6 }, () => {
      size.saw(small.events)
      return size.events
    })
    expect(grown).toEqual([128, 256, 512, 1_000, 1_000, 1_000])
    size.saw((await batchOf(3, 500_000)).events)
    expect(size.events).toBe(4)
    size.saw([])
    expect(size.events).toBe(4)
  })

  it('is cut to what fits into a message, and goes on behind that', async () => {
    const batch = await batchOf(6, 900_000)
    const cut = fitting(batch)
    expect(cut.events).toHaveLength(2)
    expect(cut).toMatchObject({ next: batch.events[1]?.position, caughtUp: false })
    expect(fitting(await batchOf(2, 300))).toMatchObject({ caughtUp: false, events: { length: 2 } })
    expect(fitting(await batchOf(1, 5_000_000)).events).toHaveLength(1)
  })
})

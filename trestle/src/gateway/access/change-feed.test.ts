import { describe, expect, it } from 'vitest'
import { CallError } from '../../call/call-error.ts'
import { platformProblem } from '../../call/problem.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { type Change, ChangeFeed } from './change-feed.ts'

/** A feed over a service that answers with what it knew when it was asked, a while later. */
function followed(answerMs: number) {
  const clock = virtualClock()
  const service = { sequence: 0, down: false }
  const warnings: string[] = []
  const log = {
    info: (_: object, text: string) => warnings.push(text),
    warn: (_: object, text: string) => warnings.push(text),
  }
  const answer = () => {
    if (service.down) return { ok: false as const, error: new CallError('x', platformProblem('unavailable')) }
    const value: Change = { sequence: service.sequence, reset: false, keyIds: [`key-${service.sequence}`], plans: null }
    return { ok: true as const, value }
  }
  const changes = {
    async try() {
      const known = answer()
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, answerMs))
      return known
    },
  }
  // Only what the feed asks for is there.
  const ask = (() => ({ changes })) as unknown as ConstructorParameters<typeof ChangeFeed>[0]
  const feed = new ChangeFeed(ask, { clock, log })
  const told: { readonly keyIds: readonly string[]; readonly atMs: number }[] = []
  feed.onChange(({ keyIds }) => told.push({ keyIds, atMs: clock.monotonic() }))
  return { clock, service, feed, told, warnings }
}

describe('the feed of changes', () => {
  it.each([0, 50, 300])(
    'tells each change within a second, whenever it is made, where an answer takes %i ms',
    async (answerMs) => {
      const { clock, service, feed, told } = followed(answerMs)
      void feed.start()
      await clock.advance(1_000)
      for (let change = 1; change <= 50; change += 1) {
        await clock.advance(change * 7)
        service.sequence = change
        const madeAtMs = clock.monotonic()
        await clock.advance(1_000)
        expect(told.at(-1)).toMatchObject({ keyIds: [`key-${change}`] })
        expect((told.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) - madeAtMs).toBeLessThan(1_000)
      }
      expect(told).toHaveLength(50)
      feed.close()
      await clock.advance(2_000)
      expect(clock.pending()).toBe(0)
    },
  )

  it('knows for how long it has heard nothing, says so once, and goes on by itself', async () => {
    const { clock, service, feed, told, warnings } = followed(10)
    void feed.start()
    await clock.advance(1_000)
    expect(feed.ageMs()).toBeLessThan(300)
    service.down = true
    service.sequence = 1
    await clock.advance(5_000)
    expect(feed.ageMs()).toBeGreaterThan(4_900)
    expect(told).toEqual([])
    service.down = false
    await clock.advance(1_000)
    expect(told.map(({ keyIds }) => keyIds)).toEqual([['key-1']])
    expect(warnings).toEqual([expect.stringContaining('cannot be asked'), expect.stringContaining('again')])
    feed.close()
  })
})

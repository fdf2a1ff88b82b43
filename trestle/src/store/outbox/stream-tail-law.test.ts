import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beginning } from './feed-position.ts'
import { eventAt, stream, type StreamFixture } from './fixtures/stream-fixture.ts'

const readersCount = 4

/** One that follows a stream with one read at a time. */
class Reader {
  readonly got: number[] = []
  readonly #test: StreamFixture
  #after = beginning
  #reading: Promise<void> | undefined

  constructor(test: StreamFixture) {
    this.#test = test
  }

  get isReading(): boolean {
    return this.#reading !== undefined
  }

  read(max: number, waitMs: number): void {
    this.#reading ??= this.#readOnce(max, waitMs)
  }

  async finish(): Promise<void> {
    await this.#reading
  }

  async #readOnce(max: number, waitMs: number): Promise<void> {
    const { events, next } = await this.#test.read({ after: this.#after, max, waitMs })
    this.got.push(...events.map(({ keyVersion }) => keyVersion))
    this.#after = next
    this.#reading = undefined
  }
}

const payloads = { small: 1_000, middle: 5_000, large: 39_000, huge: 900_000 }
const payloadOf = new Map(Object.entries(payloads).map(([name, size]) => [name, 'x'.repeat(size)]))

const step = fc.oneof(
  fc.record({
    does: fc.constant('publish' as const),
    count: fc.constantFrom(1, 20, 110, 300, 1_000),
    payload: fc.constantFrom(...payloadOf.keys()),
  }),
  fc.record({
    does: fc.constant('read' as const),
    reader: fc.nat({ max: readersCount - 1 }),
    max: fc.constantFrom(1, 64, 500, 1_000),
    waitMs: fc.constantFrom(0, 3, 1_000),
  }),
  fc.record({ does: fc.constant('pass' as const), ms: fc.nat({ max: 30 }) }),
  // Transactions that publish nothing; a crash takes back those that no event has followed.
  fc.record({ does: fc.constantFrom('others' as const, 'crash' as const) }),
)

describe('the law of the end of a stream', () => {
  it('gives each reader each event once and in order, wherever it is and however large what comes is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat({ max: 3 }), async (steps, lookMs) => {
        const test = stream()
        const { tail, clock, events, state } = test
        state.lookMs = lookMs
        let lastXid = 99
        const readers = Array.from({ length: readersCount }, () => new Reader(test))
        for (const one of steps) {
          if (one.does === 'read') readers[one.reader]?.read(one.max, one.waitMs)
          if (one.does === 'pass') await clock.advance(one.ms)
          if (one.does === 'others') state.certain += 5
          if (one.does === 'crash') state.certain = lastXid + 1
          if (one.does === 'publish') {
            const payload = payloadOf.get(one.payload)
            for (let n = 0; n < one.count; n += 1) events.push(eventAt(state.certain + n, 'placed', payload))
            state.certain += one.count
            lastXid = state.certain - 1
            tail.published()
          }
        }
        const isBehind = (reader: Reader) => reader.isReading || reader.got.length < events.length
        for (let rounds = 0; readers.some(isBehind) && rounds < 500; rounds += 1) {
          for (const reader of readers) if (isBehind(reader)) reader.read(1_000, 3)
          await clock.advance(5)
        }
        await Promise.all(readers.map((reader) => reader.finish()))
        const all = events.map(({ keyVersion }) => keyVersion)
        for (const { got } of readers) expect(got.join()).toBe(all.join())
      }),
      { numRuns: 300 },
    )
  })
})

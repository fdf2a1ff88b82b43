import { array, assert, integer, property, record, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { countersConformance } from './counters-conformance.ts'
import { waitMsFor } from './gcra.ts'
import { type Limit, openLimit } from './limit.ts'
import { processCounters } from './process-counters.ts'
import { rateLimitSpec } from './rate-limit-spec.ts'

countersConformance('this process', async () => ({ counters: processCounters, close: async () => {} }))

/** A clock of a number: thousands of steps need no promises. */
function handClock() {
  let nowMs = 0
  return { ...virtualClock(), monotonic: () => nowMs, advance: (ms: number) => void (nowMs += ms) }
}
type HandClock = ReturnType<typeof handClock>

const open = (clock: HandClock, allow: number, windowMs: number, burst: number, keysMax = 1_000): Limit =>
  openLimit(rateLimitSpec({ per: 'ip', allow, windowMs, burst, keysMax }), 'tested', clock)
const take = (limit: Limit, key = 'a', cost = 1) => processCounters.take([{ limit, key, cost }])

const laws = record({
  allow: integer({ min: 1, max: 50 }),
  windowMs: integer({ min: 1, max: 10_000 }),
  burst: integer({ min: 1, max: 60 }),
})
const steps = array(tuple(integer({ min: 0, max: 2_000 }), integer({ min: 1, max: 5 })), { maxLength: 150 })

describe('the law of a limit', () => {
  it('in no window lets more than allow + burst in, whenever who comes', () => {
    assert(
      property(laws, steps, ({ allow, windowMs, burst }, when) => {
        const clock = handClock()
        const limit = open(clock, allow, windowMs, burst)
        const taken: { atMs: number; units: number }[] = []
        for (const [waitMs, cost] of when) {
          clock.advance(waitMs)
          if (cost <= burst && take(limit, 'a', cost).allowed) taken.push({ atMs: clock.monotonic(), units: cost })
        }
        for (const { atMs } of taken) {
          const inWindow = taken.filter((one) => one.atMs >= atMs && one.atMs <= atMs + windowMs)
          expect(inWindow.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(allow + burst)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('decides like a bucket that a unit drips into at a fixed pace', () => {
    assert(
      property(laws, steps, ({ allow, windowMs, burst }, when) => {
        const clock = handClock()
        const limit = open(clock, allow, windowMs, burst)
        // The model counts in whole parts, `windowMs` of them to a unit, so that it rounds nothing.
        let parts = burst * windowMs
        for (const [waitMs, cost] of when) {
          clock.advance(waitMs)
          parts = Math.min(burst * windowMs, parts + waitMs * allow)
          const allowed = parts >= cost * windowMs
          if (allowed) parts -= cost * windowMs
          expect(take(limit, 'a', cost).allowed).toBe(allowed)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('lets who waits in exactly when it said, and not a moment sooner', () => {
    assert(
      property(laws, integer({ min: 1, max: 60 }), ({ allow, windowMs, burst }, wanted) => {
        const clock = handClock()
        const limit = open(clock, allow, windowMs, burst)
        const cost = Math.min(wanted, burst)
        while (take(limit, 'a', 1).allowed) clock.advance(0)
        const { allowed, debtsMs } = take(limit, 'a', cost)
        expect(allowed).toBe(false)
        const waitMs = waitMsFor(limit.law, debtsMs[0] as number, cost)
        clock.advance(waitMs - 0.01)
        expect(take(limit, 'a', cost).allowed).toBe(false)
        clock.advance(0.01)
        expect(take(limit, 'a', cost).allowed).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the counters of one process', () => {
  it('go when they mean nothing any more, as others come', () => {
    const clock = handClock()
    const limit = open(clock, 10, 1_000, 10)
    for (let client = 0; client < 900; client += 1) take(limit, `early-${client}`)
    expect(limit.cells.size).toBe(900)
    clock.advance(1_000)
    for (let client = 0; client < 500; client += 1) take(limit, `late-${client}`)
    expect(limit.cells.size).toBeLessThan(600)
  })

  it('never exceed their bound', () => {
    const clock = handClock()
    const limit = open(clock, 10, 86_400_000, 10, 100)
    for (let client = 0; client < 5_000; client += 1) take(limit, `client-${client}`)
    expect(limit.cells.size).toBe(100)
  })

  it('are not reset by a flood of new keys: who has used up most is forgotten last', () => {
    const clock = handClock()
    const limit = open(clock, 10, 86_400_000, 10, 100)
    while (take(limit, 'greedy').allowed) clock.advance(0)
    for (let client = 0; client < 50_000; client += 1) {
      take(limit, `flood-${client}`)
      clock.advance(1)
    }
    expect(take(limit, 'greedy').allowed).toBe(false)
  })
})

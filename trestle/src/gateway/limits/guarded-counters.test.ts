import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { accessCounters } from './access-counters.ts'
import type { Handle } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'
import type { Demand, SharedCounters, Taken } from './counters.ts'
import { guardedCounters } from './guarded-counters.ts'
import { openLimit } from './limit.ts'
import { processCounters } from './process-counters.ts'
import { type RateLimitOptions, rateLimitSpec } from './rate-limit-spec.ts'

type Mode = 'up' | 'hangs' | 'refuses'

function bench() {
  const clock = virtualClock()
  const state = { mode: 'up' as Mode, asked: 0, pings: 0, changes: [] as string[] }
  const answer = <T>(value: () => T): Promise<T> =>
    state.mode === 'hangs'
      ? new Promise(() => {})
      : state.mode === 'refuses'
        ? Promise.reject(new Error('connection refused'))
        : Promise.resolve(value())
  const store: SharedCounters = {
    take(demands) {
      state.asked += 1
      return answer(() => processCounters.take(demands))
    },
    ping() {
      state.pings += 1
      return answer(() => undefined)
    },
    async close() {},
  }
  const counters = guardedCounters(store, {
    clock,
    timeoutMs: 75,
    underWayMax: 20,
    onChange: (change) => void state.changes.push(change),
  })
  // The store counts in cells of its own, so that what is counted here shows.
  const limit = (options: Partial<RateLimitOptions> = {}) =>
    openLimit(rateLimitSpec({ per: 'ip', allow: 3, windowMs: 60_000, ...options }), 'tested', clock)
  const take = async (demand: Partial<Demand> & Pick<Demand, 'limit'>) =>
    await counters.take([{ key: 'a', cost: 1, ...demand }])
  return { clock, state, counters, limit, take }
}

const unavailable: Handle = async () => ({ ok: false, problem: platformProblem('unavailable') })

describe('shared counters', () => {
  it('that hang hold a request no longer than their time-out, and then nobody', async () => {
    const { clock, state, limit, take } = bench()
    const one = limit({ whenStoreDown: 'open' })
    state.mode = 'hangs'
    const waiting = Promise.all(Array.from({ length: 10 }, () => take({ limit: one })))
    await clock.advance(75)
    expect((await waiting).every(({ allowed }) => allowed)).toBe(true)
    expect(state).toMatchObject({ asked: 10, changes: ['open'] })
    for (let more = 0; more < 1_000; more += 1) expect((await take({ limit: one })).allowed).toBe(true)
    expect(state.asked).toBe(10)
  })

  it.each(['hangs', 'refuses'] as const)(
    'are asked again when a probe finds that one that %s answers',
    async (mode) => {
      const { clock, state, limit, take } = bench()
      const one = limit({ whenStoreDown: 'open', allow: 100 })
      state.mode = mode
      const waiting = Promise.all(Array.from({ length: 5 }, () => take({ limit: one })))
      await clock.advance(75)
      await waiting
      await clock.advance(5_000)
      expect(state.pings).toBeGreaterThanOrEqual(4)
      expect(state).toMatchObject({ asked: 5, changes: ['open'] })
      state.mode = 'up'
      await clock.advance(2_100)
      await take({ limit: one })
      expect(state).toMatchObject({ asked: 6, changes: ['open', 'closed'] })
    },
  )

  it('that are down leave it to each limit: counted here, not at all, or nobody let in', async () => {
    const { state, limit, take } = bench()
    state.mode = 'refuses'
    const [local, open, closed] = [limit(), limit({ whenStoreDown: 'open' }), limit({ whenStoreDown: 'closed' })]
    const outcomes = []
    for (let time = 0; time < 4; time += 1) outcomes.push((await take({ limit: local })).allowed)
    expect(outcomes).toEqual([true, true, true, false])
    for (let time = 0; time < 4; time += 1)
      expect(await take({ limit: open })).toEqual({ allowed: true, debtsMs: [undefined] })
    await expect(take({ limit: closed })).rejects.toMatchObject({
      problem: { code: 'unavailable', status: 503, retryAfterMs: 1_000 },
    })
  })

  it('are not asked about whom they refused until that time is over', async () => {
    const { clock, state, limit, take } = bench()
    const one = limit({ allow: 1, windowMs: 10_000 })
    const allowed = async (key = 'a') => (await take({ limit: one, key })).allowed
    expect([await allowed(), await allowed(), await allowed(), await allowed()]).toEqual([true, false, false, false])
    expect(state.asked).toBe(2)
    expect(await allowed('b')).toBe(true)
    await clock.advance(9_999)
    expect(await allowed()).toBe(false)
    expect(state.asked).toBe(3)
    await clock.advance(1)
    expect(await allowed()).toBe(true)
  })

  it('have a bounded number of requests waiting for them', async () => {
    const { clock, state, limit, take } = bench()
    state.mode = 'hangs'
    const one = limit({ whenStoreDown: 'open' })
    const waiting = Array.from({ length: 50 }, () => take({ limit: one }))
    expect(state.asked).toBe(20)
    await clock.advance(75)
    expect((await Promise.all(waiting)).every(({ allowed }) => allowed)).toBe(true)
  })

  it('leave no timer behind', async () => {
    const { clock, state, counters, limit, take } = bench()
    const one = limit({ whenStoreDown: 'open' })
    await take({ limit: one })
    state.mode = 'refuses'
    for (let time = 0; time < 5; time += 1) await take({ limit: one })
    expect(clock.pending()).toBe(1)
    await counters.close()
    expect(clock.pending()).toBe(0)
  })
})

describe("counters in the gateway's database", () => {
  it('give back what one limit took when another refuses', async () => {
    const clock = virtualClock()
    const [wide, narrow] = [1, 2].map((number) =>
      openLimit(rateLimitSpec({ per: 'ip', allow: 10, windowMs: 10_000 }), `limit-${number}`, clock),
    ) as [Demand['limit'], Demand['limit']]
    const steps: unknown[] = []
    const send: Handle = async (call) => {
      const step = (call.input as { value: { key: string; cost: number } }).value
      steps.push([step.key, step.cost])
      const allowed = !step.key.startsWith('limit-2')
      return {
        ok: true,
        status: 200,
        body: { kind: 'value', value: { allowed, tatMs: 1_000_010_000, nowMs: 1_000_000_000 } },
      }
    }
    const counters = accessCounters({ send, clock, timeoutMs: 100 })
    const taken: Taken = await counters.take([
      { limit: wide, key: 'a', cost: 2 },
      { limit: narrow, key: 'a', cost: 1 },
    ])
    expect(taken).toEqual({ allowed: false, debtsMs: [8_000, 10_000] })
    expect(steps).toEqual([
      ['limit-1:a', 2],
      ['limit-2:a', 1],
      ['limit-1:a', -2],
    ])
  })

  it('fail as a whole when one step does', async () => {
    const clock = virtualClock()
    const limit = openLimit(rateLimitSpec({ per: 'ip', allow: 10, windowMs: 10_000 }), 'one', clock)
    const counters = accessCounters({ send: unavailable, clock, timeoutMs: 100 })
    await expect(counters.take([{ limit, key: 'a', cost: 1 }])).rejects.toMatchObject({ code: 'unavailable' })
  })
})

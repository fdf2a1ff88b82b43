import { describe, expect, it } from 'vitest'
import { percentile, type SimulatedServer, simulate } from './fixtures/simulation.ts'

const server = (changes: Partial<SimulatedServer> = {}): SimulatedServer => ({
  workMs: 10,
  slots: 50,
  answer: 'ok',
  ...changes,
})
const three = () => ({ a: server(), b: server(), c: server() })
/** Two servers that together do 2,000 requests a second. */
const small = () => ({ a: server({ slots: 10 }), b: server({ slots: 10 }) })
const share = (asked: Record<string, number>, id: string) =>
  (asked[id] ?? 0) / Object.values(asked).reduce((total, n) => total + n, 0)

describe('a cluster on a virtual clock', () => {
  it('shares the load of members that do alike', () => {
    const { asked } = simulate(three()).run(20_000, 1_000)
    for (const id of ['a', 'b', 'c']) expect(share(asked, id)).toBeCloseTo(1 / 3, 1)
  })

  it('routes around a member that became ten times slower, and comes back when it is well', () => {
    const sim = simulate(three())
    const before = sim.run(20_000, 500)
    ;(sim.servers['b'] as SimulatedServer).workMs = 100
    sim.run(1_000, 500)
    const during = sim.run(20_000, 500)
    expect(share(during.asked, 'b')).toBeLessThan(0.01)
    expect(percentile(during, 99)).toBeLessThan(percentile(before, 99) * 1.5)
    ;(sim.servers['b'] as SimulatedServer).workMs = 10
    sim.run(30_000, 500)
    expect(share(sim.run(20_000, 500).asked, 'b')).toBeGreaterThan(0.25)
  })

  it('sends a slow member its share when balancing by latency is switched off', () => {
    const sim = simulate({ ...three(), b: server({ workMs: 30 }) }, { latency: false })
    expect(share(sim.run(20_000, 20).asked, 'b')).toBeGreaterThan(0.2)
  })

  it('is not drawn to a member that fails at once', () => {
    const failing = server({ workMs: 0.1, answer: 'failed' })
    const sim = simulate({ ...three(), b: failing }, { ejection: false, breaker: false })
    expect(share(sim.run(20_000, 500).asked, 'b')).toBeLessThan(0.7)
    const guarded = simulate({ ...three(), b: server({ workMs: 0.1, answer: 'failed' }) })
    expect(share(guarded.run(20_000, 500).asked, 'b')).toBeLessThan(0.01)
  })

  it('turns from a member that hangs before anything has timed out', () => {
    const sim = simulate(three(), { ejection: false, breaker: false })
    sim.run(10_000, 500)
    ;(sim.servers['b'] as SimulatedServer).answer = 'nothing'
    expect(sim.run(900, 500).asked['b']).toBeLessThan(15)
  })

  it('sends a member that hangs little more than it takes to notice', () => {
    const sim = simulate(three())
    sim.run(10_000, 500)
    ;(sim.servers['b'] as SimulatedServer).answer = 'nothing'
    const { outcomes } = sim.run(20_000, 500)
    expect(outcomes['failed']).toBeGreaterThan(0)
    expect(outcomes['failed']).toBeLessThan(0.005 * 20 * 500)
  })

  it('gives a canary the share that its weight says, and a member of weight 0 nothing', () => {
    const sim = simulate({ a: server({ weight: 95 }), canary: server({ weight: 5 }), gone: server({ weight: 0 }) })
    const { asked } = sim.run(100_000, 1_000)
    expect(share(asked, 'canary')).toBeGreaterThan(0.047)
    expect(share(asked, 'canary')).toBeLessThan(0.053)
    expect(asked['gone']).toBeUndefined()
  })

  it('ejects the one of two members that fails more often, says why, and keeps the other', () => {
    const sim = simulate({ a: server(), b: server() })
    sim.run(5_000, 200)
    ;(sim.servers['b'] as SimulatedServer).answer = 'failed'
    const { outcomes } = sim.run(60_000, 200)
    expect(outcomes['failed']).toBeLessThan(0.01 * 60 * 200)
    const [a, b] = sim.cluster.state().members
    expect(a?.lastEjection).toBeUndefined()
    expect(b?.lastEjection?.reason).toBe('failed on probation')
    expect(sim.events[0]).toMatchObject({ kind: 'ejected', id: 'b', reason: '5 failures in a row' })
  })

  it('ejects a member longer each time that it fails on its probation', () => {
    const sim = simulate({ a: server(), b: server({ answer: 'failed' }) })
    sim.run(120_000, 200)
    const times = sim.events.flatMap((event) => (event.kind === 'ejected' ? [event.forMs] : []))
    expect(times.length).toBeGreaterThan(3)
    for (const [i, ms] of times.slice(1).entries()) expect(ms).toBeGreaterThan((times[i] as number) * 1.7)
  })

  it('takes a member back on probation with little traffic that grows', () => {
    const sim = simulate({ a: server({ workMs: 100 }), b: server({ workMs: 100, answer: 'failed' }) })
    const ejected = () => sim.cluster.state().members[1]?.state === 'ejected'
    while (!ejected()) sim.run(10, 500)
    ;(sim.servers['b'] as SimulatedServer).answer = 'ok'
    while (ejected()) sim.run(10, 500)
    const first = sim.run(100, 500)
    expect(sim.cluster.state().members[1]?.state).toBe('probation')
    expect(share(first.asked, 'b')).toBeLessThan(0.12)
    const shares = [share(first.asked, 'b')]
    for (let i = 0; i < 4; i += 1) shares.push(share(sim.run(500, 500).asked, 'b'))
    expect(shares.at(-1)).toBeGreaterThan(0.35)
    expect(sim.cluster.state().members[1]?.state).toBe('healthy')
    expect(sim.events.at(-1)).toEqual({ kind: 'returned', id: 'b' })
  })

  it('never leaves more than half of the members alone, and ejects nobody while all fail alike', () => {
    for (const count of [1, 2, 3, 4, 5, 7]) {
      const names = Array.from({ length: count }, (_, i) => `m${i}`)
      const sim = simulate(Object.fromEntries(names.map((id) => [id, server({ answer: 'unreachable' })])))
      let most = 0
      for (let i = 0; i < 200; i += 1) {
        sim.run(20, 500)
        const out = sim.cluster.state().members.filter(({ state }) => state === 'ejected').length
        most = Math.max(most, out)
      }
      expect(most).toBe(Math.floor(count / 2))
    }
    const alike = simulate(Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, server({ answer: 'faulty' })])))
    alike.run(2_000, 500)
    const ejected = alike.cluster.state().members.filter(({ lastEjection }) => lastEjection !== undefined)
    expect(ejected.length).toBeLessThanOrEqual(2)
    alike.run(120_000, 500)
    alike.events.length = 0
    const later = alike.run(60_000, 500)
    expect(later.outcomes['faulty']).toBeGreaterThan(29_000)
  })

  it('opens its breaker when most requests fail, lets a few probes through, and closes when they succeed', () => {
    const sim = simulate({ a: server() })
    sim.run(5_000, 100)
    ;(sim.servers['a'] as SimulatedServer).answer = 'failed'
    const down = sim.run(30_000, 100)
    const states = sim.events.flatMap((event) => (event.kind === 'breaker' ? [event.state] : []))
    expect(states.slice(0, 4)).toEqual(['open', 'half-open', 'open', 'half-open'])
    expect(down.refused['breaker_open']).toBeGreaterThan(0.75 * 30 * 100)
    ;(sim.servers['a'] as SimulatedServer).answer = 'ok'
    sim.run(31_000, 100)
    expect(sim.cluster.state().breaker).toBe('closed')
    expect(sim.run(10_000, 100).refused).toEqual({})
  })

  it('keeps its breaker closed below the minimum volume', () => {
    const sim = simulate({ a: server({ answer: 'failed' }) })
    expect(sim.run(60_000, 1).refused).toEqual({})
  })

  it('refuses what would wait too long before latency collapses, and takes everything again afterwards', () => {
    const unguarded = simulate(small(), { concurrency: false, breaker: false, ejection: false })
    unguarded.run(5_000, 1_000)
    unguarded.run(5_000, 4_000)
    expect(percentile(unguarded.run(10_000, 4_000), 50)).toBeGreaterThanOrEqual(900)

    const sim = simulate(small())
    sim.run(5_000, 1_000)
    sim.run(5_000, 4_000)
    const overload = sim.run(30_000, 4_000)
    expect(percentile(overload, 99)).toBeLessThan(100)
    expect(overload.outcomes['ok']).toBeGreaterThan(0.95 * 2_000 * 30)
    expect(overload.refused['overloaded']).toBeGreaterThan(0.4 * 4_000 * 30)
    sim.run(2_000, 1_000)
    expect(sim.run(10_000, 1_000).refused).toEqual({})
  })

  it('does not let overload that lasts become the usual', () => {
    const sim = simulate({ a: server({ slots: 100 }) })
    sim.run(5_000, 2_000)
    sim.run(15_000, 15_000)
    expect(percentile(sim.run(5_000, 15_000), 99)).toBeLessThan(60)
  })

  it('learns that a service has become slower instead of refusing for ever', () => {
    const sim = simulate({ a: server({ slots: 10_000 }) })
    sim.run(10_000, 2_000)
    ;(sim.servers['a'] as SimulatedServer).workMs = 100
    sim.run(30_000, 2_000)
    expect(sim.run(10_000, 2_000).refused).toEqual({})
  })

  it('never refuses a quiet service, however its latency jumps', () => {
    const sim = simulate({ a: server({ slots: 1_000 }) })
    for (let i = 0; i < 60; i += 1) {
      ;(sim.servers['a'] as SimulatedServer).workMs = i % 2 === 0 ? 1 : 400
      expect(sim.run(5_000, 100).refused).toEqual({})
    }
  })
})

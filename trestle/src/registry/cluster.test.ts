import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Attempt, Outcome } from './cluster.ts'
import type { ClusterFeatures } from './cluster-options.ts'
import { createCluster } from './create-cluster.ts'
import { seededRandom } from './fixtures/seeded-random.ts'

const outcomes: readonly Outcome[] = ['ok', 'failed', 'faulty', 'unreachable', 'overloaded', 'abandoned']

function setUp(features: ClusterFeatures = {}, members = ['a', 'b', 'c']) {
  let nowMs = 0
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    setTimeout: () => ({ cancel() {} }),
  }
  const cluster = createCluster<string>({ ...features, clock, random: seededRandom(1) })
  cluster.replace(members.map((id) => ({ id, target: id })))
  return { cluster, pass: (ms: number) => void (nowMs += ms) }
}

type Step =
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly which: number; readonly outcome: Outcome; readonly twice: boolean }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'replace'; readonly count: number }
  | { readonly kind: 'check'; readonly which: number; readonly healthy: boolean }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'begin' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('end' as const),
        which: fc.nat(),
        outcome: fc.constantFrom(...outcomes),
        twice: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 5_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), count: fc.nat({ max: 6 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('check' as const), which: fc.nat({ max: 6 }), healthy: fc.boolean() }),
    },
  ),
  { maxLength: 400 },
)

describe('a cluster, whatever happens to it', () => {
  it('counts what runs: never less than nothing, each attempt ended once, nothing left when all have ended', () => {
    const law = fc.property(steps, (all) => {
      const { cluster, pass } = setUp()
      const running: Attempt<string>[] = []
      let replaced = false
      for (const step of all) {
        if (step.kind === 'pass') pass(step.ms)
        else if (step.kind === 'check') cluster.checked(`m${step.which}`, step.healthy)
        else if (step.kind === 'replace') {
          cluster.replace(Array.from({ length: step.count }, (_, i) => ({ id: `m${i}`, target: `m${i}` })))
        } else if (step.kind === 'begin') {
          const attempt = cluster.begin()
          if (!('refused' in attempt)) running.push(attempt)
        } else if (running.length > 0) {
          const [attempt] = running.splice(step.which % running.length, 1)
          attempt?.end(step.outcome)
          if (step.twice) attempt?.end('failed')
        }
        const state = cluster.state()
        expect(state.inFlight).toBe(running.length)
        for (const member of state.members) expect(member.inFlight).toBeGreaterThanOrEqual(0)
        const ejected = state.members.filter((member) => member.state === 'ejected').length
        // Members may leave while others are ejected: then those stay out until their time is over.
        replaced ||= step.kind === 'replace'
        expect(replaced ? 0 : ejected).toBeLessThanOrEqual(state.members.length / 2)
      }
      for (const attempt of running) attempt.end('abandoned')
      expect(cluster.state().inFlight).toBe(0)
    })
    fc.assert(law, { numRuns: 150 })
  })

  it('bounds what retries add: a fifth of the requests and ten a second', () => {
    const law = fc.property(fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 300 }), (pauses) => {
      const { cluster, pass } = setUp({ breaker: false })
      let retries = 0
      let ms = 0
      for (const pause of pauses) {
        const tried: string[] = []
        for (let attempt = cluster.begin(tried); !('refused' in attempt); attempt = cluster.begin(tried)) {
          tried.push(attempt.id)
          attempt.end('unreachable')
          if (!cluster.mayRetry()) break
          retries += 1
        }
        pass(pause)
        ms += pause
      }
      expect(retries).toBeLessThanOrEqual(10 + pauses.length * 0.2 + ms / 100 + 1e-6)
    })
    fc.assert(law, { numRuns: 150 })
  })

  it('never asks the same member twice for one request', () => {
    const { cluster } = setUp({ ejection: false })
    const tried: string[] = []
    for (let i = 0; i < 3; i += 1) {
      const attempt = cluster.begin(tried)
      if ('refused' in attempt) throw new Error(attempt.refused)
      expect(tried).not.toContain(attempt.id)
      tried.push(attempt.id)
      attempt.end('failed')
    }
    expect(cluster.begin(tried)).toMatchObject({ refused: 'no_member' })
  })

  it('has each part switched off by false', () => {
    const off = { latency: false, breaker: false, ejection: false, concurrency: false, retries: false } as const
    const { cluster } = setUp(off)
    for (let i = 0; i < 5_000; i += 1) expect(cluster.begin()).toHaveProperty('target')
    const { inFlight, concurrencyLimit } = cluster.state()
    expect([inFlight, concurrencyLimit]).toEqual([5_000, undefined])
    expect(cluster.mayRetry()).toBe(false)
    const failing = setUp(off)
    for (let i = 0; i < 200; i += 1) {
      const attempt = failing.cluster.begin()
      if (!('refused' in attempt)) attempt.end(i % 2 === 0 ? 'failed' : 'unreachable')
    }
    expect(failing.cluster.state().breaker).toBe('closed')
    expect(failing.cluster.state().members.every(({ state }) => state === 'healthy')).toBe(true)
  })

  it('refuses two members of one id, and a weight that is no share', () => {
    const { cluster } = setUp()
    const member = { id: 'a', target: 'a' }
    expect(() => cluster.replace([member, member])).toThrow('same id')
    expect(() => cluster.replace([{ ...member, weight: -1 }])).toThrow(RangeError)
    expect(() => cluster.replace([{ ...member, id: 'new', weight: Number.NaN }])).toThrow('weight of new')
  })

  it.each(['a', 'b'])('is served again by %s alone, when both were down and the other one stays so', (back) => {
    const { cluster, pass } = setUp({}, ['a', 'b'])
    const up = new Set<string>()
    const ask = () => {
      const tried: string[] = []
      for (;;) {
        const attempt = cluster.begin(tried)
        if ('refused' in attempt) return false
        tried.push(attempt.id)
        attempt.end(up.has(attempt.id) ? 'ok' : 'unreachable')
        if (up.has(attempt.id)) return true
      }
    }
    const askFor = (ms: number) => {
      let served = 0
      for (let passed = 0; passed < ms; passed += 20) {
        pass(20)
        if (ask()) served += 1
      }
      return served / (ms / 20)
    }
    expect(askFor(20_000)).toBe(0)
    expect(cluster.state().breaker).toBe('open')
    up.add(back)
    askFor(60_000)
    expect(askFor(10_000)).toBe(1)
    expect(cluster.state().breaker).toBe('closed')
  })

  it('asks a member again that had too much to do for a long time', () => {
    const { cluster, pass } = setUp({}, ['a', 'b'])
    const ask = (outcomeOfA: Outcome) => {
      const attempt = cluster.begin()
      if ('refused' in attempt) throw new Error(attempt.refused)
      pass(2)
      attempt.end(attempt.id === 'a' ? outcomeOfA : 'ok')
      return attempt.id
    }
    const onA = cluster.begin(['b'])
    if ('refused' in onA) throw new Error(onA.refused)
    onA.end('ok')
    for (let i = 0; i < 2_000; i += 1) {
      const attempt = cluster.begin(['b'])
      if (!('refused' in attempt)) attempt.end('overloaded')
    }
    expect(cluster.state().members[0]?.latencyMs).toBeLessThanOrEqual(1_000)
    pass(90_000)
    const asked = Array.from({ length: 100 }, () => ask('ok'))
    expect(asked.filter((id) => id === 'a').length).toBeGreaterThan(20)
  })

  it('keeps what it knows of a member that stays', () => {
    const { cluster, pass } = setUp({}, ['a'])
    const attempt = cluster.begin()
    pass(30)
    if (!('refused' in attempt)) attempt.end('ok')
    cluster.replace([
      { id: 'a', target: 'moved', weight: 3 },
      { id: 'b', target: 'b' },
    ])
    expect(cluster.state().members[0]).toMatchObject({ id: 'a', weight: 3, requests: 1, latencyMs: 30 })
  })
})

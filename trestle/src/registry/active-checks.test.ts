import { describe, expect, it } from 'vitest'
import type { Clock, Timer } from '../std/clock.ts'
import { activeChecks } from './active-checks.ts'
import { createCluster } from './create-cluster.ts'
import { seededRandom } from './fixtures/seeded-random.ts'

/** Runs timers in order, and lets promises settle after each. */
function handClock() {
  let nowMs = 0
  const timers = new Set<{ atMs: number; fn: () => void }>()
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    setTimeout(fn, ms): Timer {
      const timer = { atMs: nowMs + ms, fn }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
  }
  const advance = async (ms: number) => {
    const endMs = nowMs + ms
    for (;;) {
      const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      timers.delete(next)
      nowMs = next.atMs
      next.fn()
      await new Promise((resolve) => setImmediate(resolve))
    }
    nowMs = endMs
  }
  return { clock, advance, timers }
}

type Answer = 'well' | 'ill' | 'silent' | 'throws'

function checked(answers: Record<string, Answer>) {
  const { clock, advance, timers } = handClock()
  const random = seededRandom(7)
  const cluster = createCluster<string>({ clock, random })
  const members = Object.keys(answers).map((id) => ({ id, target: id }))
  cluster.replace(members)
  const asked: { id: string; atMs: number; signal: AbortSignal }[] = []
  const probe = (id: string, signal: AbortSignal): Promise<string | undefined> => {
    asked.push({ id, atMs: clock.monotonic(), signal })
    if (answers[id] === 'throws') throw new Error('no address')
    if (answers[id] === 'silent') return new Promise(() => {})
    return Promise.resolve(answers[id] === 'well' ? undefined : 'answered 500')
  }
  const checks = activeChecks(cluster, { probe, clock, random })
  checks.replace(members)
  const stateOf = (id: string) => cluster.state().members.find((member) => member.id === id)
  return { answers, advance, timers, cluster, checks, asked, stateOf }
}

describe('active checks', () => {
  it('take out a member after three failures in a row, and bring it back after two successes', async () => {
    const { answers, advance, stateOf, cluster } = checked({ a: 'well', b: 'ill' })
    await advance(9_000)
    expect(stateOf('b')?.state).toBe('healthy')
    await advance(3_000)
    expect(stateOf('b')).toMatchObject({ state: 'unhealthy', lastEjection: { reason: 'answered 500' } })
    for (let i = 0; i < 20; i += 1) expect(cluster.begin()).toMatchObject({ id: 'a' })
    answers['b'] = 'well'
    await advance(4_000)
    expect(stateOf('b')?.state).toBe('unhealthy')
    await advance(8_000)
    expect(stateOf('b')?.state).toBe('healthy')
  })

  it('take silence and a probe that throws for a failure, and give up waiting', async () => {
    const { advance, stateOf, asked } = checked({ a: 'silent', b: 'throws' })
    await advance(25_000)
    expect(stateOf('a')?.lastEjection?.reason).toBe('no answer to the active check within 2000 ms')
    expect(stateOf('b')?.lastEjection?.reason).toBe('no address')
    expect(asked.filter(({ id }) => id === 'a').every(({ signal, atMs }) => signal.aborted || atMs > 22_000)).toBe(true)
  })

  it('leave the choice open when they take out everybody: asking one that may be down beats asking nobody', async () => {
    const { advance, cluster } = checked({ a: 'ill', b: 'ill' })
    await advance(20_000)
    expect(cluster.state().members.map(({ state }) => state)).toEqual(['unhealthy', 'unhealthy'])
    expect(cluster.begin()).toHaveProperty('target')
  })

  it('drift apart, one check of a member at a time', async () => {
    const { advance, asked } = checked({ a: 'well', b: 'well' })
    await advance(100_000)
    const times = (id: string) => asked.filter((check) => check.id === id).map(({ atMs }) => atMs)
    expect(times('a').length).toBeGreaterThan(17)
    expect(times('a').length).toBeLessThan(24)
    expect(times('a').at(-1)).not.toBe(times('b').at(-1))
  })

  it('check who comes, forget who goes, and stop when they are closed', async () => {
    const { advance, asked, checks, timers } = checked({ a: 'well', b: 'silent' })
    await advance(1_000)
    checks.replace([
      { id: 'b', target: 'b' },
      { id: 'c', target: 'c' },
    ])
    await advance(500)
    expect(asked.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    checks.close()
    expect(asked.find(({ id }) => id === 'b')?.signal.aborted).toBe(true)
    await advance(60_000)
    expect(asked).toHaveLength(3)
    expect(timers.size).toBe(0)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Call, Reply, Transport } from '../call/call.ts'
import { anonymous } from '../call/caller.ts'
import type { Instance } from '../call/instance.ts'
import { platformProblem } from '../call/problem.ts'
import type { PlatformCode } from '../contract/platform-errors.ts'
import type { Clock } from '../std/clock.ts'
import { newTrace } from '../std/trace-context.ts'
import { balanced, type ClusterFeatures, createRegistry } from './index.ts'
import { retryBudget } from './retry-budget.ts'

const contract = 'orders@1'

function instance(id: string, state: Instance['state'] = 'ready'): Instance {
  return { id, service: 'orders', version: '1.0.0', contracts: [contract], address: undefined, state }
}

/** Time passes only through timers, which run at once, in the order of their due times. */
function eagerClock(): Clock & { add(ms: number): void } {
  let nowMs = 0
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    add(ms) {
      nowMs += ms
    },
    setTimeout(fn, ms) {
      let cancelled = false
      setImmediate(() => {
        if (cancelled) return
        nowMs += ms
        fn()
      })
      return { cancel: () => void (cancelled = true) }
    },
  }
}

/** A small fixed sequence that visits both halves of [0, 1). */
function sequence(): () => number {
  let i = 0
  return () => ((i += 1) * 0.618_033_988_75) % 1
}

function fake(answers: Record<string, () => Reply | Promise<Reply>>, cluster: ClusterFeatures = {}) {
  const asked: string[] = []
  const closed: string[] = []
  const clock = eagerClock()
  const registry = createRegistry()
  const open = ({ id }: Instance): Transport => ({
    async send() {
      asked.push(id)
      return (answers[id] ?? ok)()
    },
    async close() {
      closed.push(id)
    },
  })
  const transport = balanced({ registry, open, clock, random: sequence(), idempotent, cluster })
  const call: Call = {
    contract,
    operation: 'place',
    input: { kind: 'value', value: 1 },
    want: 'value',
    deadlineMs: 1_000_000,
    signal: new AbortController().signal,
    caller: anonymous,
    from: 'carts',
    trace: newTrace(),
    key: undefined,
  }
  const ask = async (operation = 'place') => {
    const reply = await transport.send({ ...call, operation })
    return reply.ok ? 'ok' : reply.problem.code
  }
  return { asked, closed, clock, registry, transport, call, ask }
}

const ok = (): Reply => ({ ok: true, status: 200, body: { kind: 'empty' } })
const failing = (code: PlatformCode) => (): Reply => ({ ok: false, problem: platformProblem(code) })

const idempotent = (_contract: string, operation: string) => operation === 'find'

describe('the registry', () => {
  it('gives the same array until something changes, ready instances only', () => {
    const registry = createRegistry()
    let changes = 0
    const stop = registry.onChange(() => (changes += 1))
    registry.replace([instance('a'), instance('b', 'draining')], ['carts@1'])
    expect(registry.instances(contract)).toEqual([instance('a')])
    expect(registry.instances(contract)).toBe(registry.instances(contract))
    expect(registry.all()).toHaveLength(2)
    expect([registry.knows('carts@1'), registry.knows(contract), registry.knows('x@1')]).toEqual([true, true, false])
    stop()
    registry.replace([], [])
    expect(changes).toBe(1)
  })
})

describe('balanced', () => {
  it('names the contract that the system does not have', async () => {
    const { transport, registry, call } = fake({})
    registry.replace([], ['carts@1'])
    const reply = await transport.send(call)
    expect(reply).toMatchObject({
      ok: false,
      problem: { code: 'not_found', detail: expect.stringContaining(contract) },
    })
  })

  it('answers unavailable at once, with a time to wait, when nobody serves the contract', async () => {
    const { transport, registry, call, clock } = fake({})
    registry.replace([], [contract])
    const reply = await transport.send(call)
    expect(reply).toMatchObject({ ok: false, problem: { code: 'unavailable', retryAfterMs: 1_000 } })
    expect(clock.monotonic()).toBe(0)
  })

  it('uses every instance, and the idle one rather than the busy one', async () => {
    const held: (() => void)[] = []
    const busy = () => new Promise<Reply>((resolve) => held.push(() => resolve(ok())))
    const { asked, registry, ask } = fake({ a: busy })
    registry.replace([instance('a'), instance('b')], [])
    const calls: Promise<string>[] = []
    for (let i = 0; i < 20; i += 1) {
      calls.push(ask())
      await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const release of held) release()
    expect(await Promise.all(calls)).toEqual(Array(20).fill('ok'))
    expect(asked.filter((id) => id === 'b').length).toBeGreaterThanOrEqual(18)
    expect(asked.filter((id) => id === 'a').length).toBeGreaterThanOrEqual(1)
  })

  it('asks another instance when the first certainly did nothing, and leaves it alone for a while', async () => {
    const { asked, registry, ask } = fake({ a: failing('unavailable') })
    registry.replace([instance('a'), instance('b')], [])
    for (let i = 0; i < 20; i += 1) expect(await ask()).toBe('ok')
    expect(asked.filter((id) => id === 'a')).toHaveLength(1)
  })

  it('takes an ejected instance back after its probation', async () => {
    let down = true
    const { asked, registry, ask, clock } = fake({ a: () => (down ? failing('unavailable')() : ok()) })
    registry.replace([instance('a'), instance('b')], [])
    for (let i = 0; i < 10; i += 1) await ask()
    down = false
    clock.add(10_000)
    for (let i = 0; i < 10; i += 1) await ask()
    expect(asked.filter((id) => id === 'a').length).toBeGreaterThan(2)
  })

  it('repeats what may have been processed only for operations that may be repeated', async () => {
    const lost = failing('outcome_unknown')
    const { asked, registry, ask } = fake({ a: lost, b: lost })
    registry.replace([instance('a'), instance('b')], [])
    expect(await ask('place')).toBe('outcome_unknown')
    expect(asked).toHaveLength(1)
    expect(await ask('find')).toBe('outcome_unknown')
    expect(asked).toHaveLength(3)
  })

  it('never repeats a declared error, whatever its name', async () => {
    const problem = { ...platformProblem('unavailable'), declared: true }
    const { asked, registry, ask } = fake({ a: () => ({ ok: false, problem }), b: ok })
    registry.replace([instance('a')], [])
    expect(await ask()).toBe('unavailable')
    expect(asked).toEqual(['a'])
  })

  it('asks the only instance a second time, in case it was just restarted', async () => {
    let calls = 0
    const { registry, ask } = fake({ a: () => ((calls += 1) === 1 ? failing('unavailable')() : ok()) })
    registry.replace([instance('a')], [])
    expect(await ask()).toBe('ok')
  })

  it('stops retrying when the budget of the service is spent', async () => {
    // Without the breaker, which would stop asking altogether.
    const answers = { a: failing('unavailable'), b: failing('unavailable') }
    const { asked, registry, ask, call } = fake(answers, { breaker: false })
    registry.replace([instance('a'), instance('b')], [])
    for (let i = 0; i < 200; i += 1) await ask()
    expect(call.contract).toBe(contract)
    // 200 first tries, 10 retries saved, 0.2 for each request.
    expect(asked.length).toBeLessThanOrEqual(200 + 10 + 40)
    expect(asked.length).toBeGreaterThan(200 + 40)
  })

  it('asks nobody while most calls fail, says when to come back, and goes on when a new instance appears', async () => {
    const { asked, registry, ask, call, transport } = fake({ a: failing('deadline_exceeded') })
    registry.replace([instance('a')], [])
    for (let i = 0; i < 50; i += 1) await ask()
    expect(asked).toHaveLength(20)
    expect(await transport.send(call)).toMatchObject({ problem: { code: 'unavailable', retryAfterMs: 1_000 } })
    expect(transport.state()).toMatchObject([{ contract, breaker: 'open', members: [{ id: 'a', failures: 20 }] }])
    registry.replace([instance('b')], [])
    expect(await ask()).toBe('ok')
    expect(transport.state()).toMatchObject([{ breaker: 'closed' }])
  })

  it('does not stop asking because one operation has a defect', async () => {
    const { asked, registry, ask } = fake({ a: failing('internal') })
    registry.replace([instance('a')], [])
    for (let i = 0; i < 50; i += 1) expect(await ask()).toBe('internal')
    expect(asked).toHaveLength(50)
  })

  it('refuses with overloaded what its instances cannot bear', async () => {
    const held: (() => void)[] = []
    const busy = () => new Promise<Reply>((resolve) => held.push(() => resolve(ok())))
    const { registry, ask } = fake({ a: busy }, { concurrency: { limitMin: 2, limitMax: 2 } })
    registry.replace([instance('a')], [])
    const running = [ask(), ask()]
    expect(await ask()).toBe('overloaded')
    for (const release of held) release()
    expect(await Promise.all(running)).toEqual(['ok', 'ok'])
  })

  it('waits for an instance no longer than until the deadline', async () => {
    const { registry, call, transport, clock } = fake({})
    registry.replace([instance('a')], [contract])
    await transport.send(call)
    registry.replace([], [contract])
    await transport.send({ ...call, deadlineMs: clock.monotonic() + 50 })
    expect(clock.monotonic()).toBe(50)
  })

  it('waits a moment for an instance that left just now, and no longer', async () => {
    const { registry, ask, clock } = fake({})
    registry.replace([instance('a')], [contract])
    expect(await ask()).toBe('ok')
    registry.replace([], [contract])
    const waiting = ask()
    registry.replace([instance('b')], [contract])
    expect(await waiting).toBe('ok')
    registry.replace([], [contract])
    const beforeMs = clock.monotonic()
    expect(await ask()).toBe('unavailable')
    expect(clock.monotonic() - beforeMs).toBe(200)
    clock.add(2_000)
    const laterMs = clock.monotonic()
    expect(await ask()).toBe('unavailable')
    expect(clock.monotonic()).toBe(laterMs)
  })

  it('closes the way to an instance that left, after its last call', async () => {
    let release: (() => void) | undefined
    const { asked, closed, registry, ask } = fake({
      a: () => new Promise((resolve) => (release = () => resolve(ok()))),
    })
    registry.replace([instance('a')], [])
    const running = ask()
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    registry.replace([instance('b')], [])
    expect(closed).toEqual([])
    release?.()
    expect(await running).toBe('ok')
    expect(closed).toEqual(['a'])
    expect(await ask()).toBe('ok')
    expect(asked).toEqual(['a', 'b'])
  })
})

describe('a retry budget', () => {
  it('never gives more than it was given', () => {
    const step = fc.oneof(fc.constant('request' as const), fc.constant('take' as const), fc.nat({ max: 3_000 }))
    const law = fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const clock = eagerClock()
      const budget = retryBudget({ clock })
      let requests = 0
      let taken = 0
      for (const s of steps) {
        if (typeof s === 'number') clock.add(s)
        else if (s === 'take') taken += budget.take() ? 1 : 0
        else {
          budget.request()
          requests += 1
        }
      }
      expect(taken).toBeLessThanOrEqual(10 + requests * 0.2 + clock.monotonic() / 100 + 1e-6)
    })
    fc.assert(law)
  })
})

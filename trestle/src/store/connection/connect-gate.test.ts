import { describe, expect, it } from 'vitest'
import type { Clock } from '../../std/clock.ts'
import { StoreError } from '../store-error.ts'
import { ConnectGate } from './connect-gate.ts'

function gateAt() {
  let [now, tries] = [0, 0]
  const clock: Clock = { now: () => now, monotonic: () => now, setTimeout: () => ({ cancel() {} }) }
  const gate = new ConnectGate(clock, () => 0.999)
  const fail = () => {
    tries += 1
    return Promise.reject(new StoreError('unavailable', 'refused'))
  }
  return {
    gate,
    tries: () => tries,
    later: (ms: number) => (now += ms),
    fail: () => gate.pass(fail).catch((error: StoreError) => error.code),
    succeed: () => gate.pass(() => Promise.resolve('connected')),
  }
}

describe('ConnectGate', () => {
  it('lets everyone through while nothing fails', async () => {
    const { succeed } = gateAt()
    expect(await Promise.all([succeed(), succeed()])).toEqual(['connected', 'connected'])
  })

  it('refuses without a try until the pause is over, and pauses longer each time up to a bound', async () => {
    const { fail, tries, later } = gateAt()
    for (const [round, pauseMs] of [120, 220, 420, 520, 520].entries()) {
      expect(await fail()).toBe('unavailable')
      expect(tries()).toBe(round + 1)
      later(pauseMs - 2)
      expect(await fail()).toBe('unavailable')
      expect(tries()).toBe(round + 1)
      later(2)
    }
  })

  it('lets one try, and all after it succeeded', async () => {
    const { gate, fail, succeed, later } = gateAt()
    await fail()
    later(120)
    const answer = Promise.withResolvers<string>()
    const first = gate.pass(() => answer.promise)
    await expect(succeed()).rejects.toMatchObject({ code: 'unavailable' })
    answer.resolve('back')
    expect(await first).toBe('back')
    expect(await Promise.all([succeed(), succeed()])).toEqual(['connected', 'connected'])
  })

  it('passes on what is no matter of reachability', async () => {
    const { gate, succeed } = gateAt()
    await expect(gate.pass(() => Promise.reject(new StoreError('overloaded', 'full')))).rejects.toThrow('full')
    await expect(succeed()).resolves.toBe('connected')
  })
})

import { describe, expect, it } from 'vitest'
import { StoreError } from '../../store/store-error.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { whenReachable } from './when-reachable.ts'

const away = new StoreError('unavailable', 'The database cannot be reached')

function waited(answers: readonly (Error | string)[], timeoutMs?: number) {
  const clock = virtualClock()
  const abort = new AbortController()
  let tries = 0
  let told = 0
  const work = async () => {
    const answer = answers[Math.min(tries++, answers.length - 1)] as Error | string
    if (answer instanceof Error) throw answer
    return answer
  }
  const options = { clock, random: () => 0.5, signal: abort.signal, waiting: () => void told++ }
  const result = whenReachable(work, { ...options, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  result.catch(() => {})
  return { clock, abort, result, tries: () => tries, told: () => told }
}

describe('what needs a database', () => {
  it('is done when that can be reached, and says meanwhile that it waits', async () => {
    const { clock, result, tries, told } = waited([away, away, 'done'])
    await clock.advance(10_000)
    expect(await result).toBe('done')
    expect([tries(), told()]).toEqual([3, 2])
  })

  it('fails with what it fails with when the time is over', async () => {
    const { clock, result, tries } = waited([away], 5_000)
    await clock.advance(10_000)
    await expect(result).rejects.toBe(away)
    expect(tries()).toBeGreaterThan(3)
  })

  it('fails at once with anything else', async () => {
    const { result, tries } = waited([new StoreError('migration_failed', 'no')])
    await expect(result).rejects.toThrow('no')
    expect(tries()).toBe(1)
  })

  it('is given up when the start is', async () => {
    const { clock, abort, result, tries } = waited([away])
    await clock.advance(100)
    abort.abort()
    await clock.advance(5_000)
    await expect(result).rejects.toBe(away)
    expect(tries()).toBeLessThan(4)
  })
})

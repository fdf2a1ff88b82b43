import { array, assert, asyncProperty, constantFrom, integer } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConcurrencyLimiter } from './concurrency-limiter.ts'

const never = new AbortController().signal

describe('a concurrency limiter', () => {
  it('lets the ones who wait in by order of arrival, without those who gave up', async () => {
    const limiter = new ConcurrencyLimiter({ insideMax: 1, waitingMax: 3 })
    expect(limiter.tryEnter()).toBe(true)
    const order: string[] = []
    const impatient = new AbortController()
    const waits = [
      limiter.wait(never).then((entered) => order.push(`a ${entered}`)),
      limiter.wait(impatient.signal).then((entered) => order.push(`b ${entered}`)),
      limiter.wait(never).then((entered) => order.push(`c ${entered}`)),
    ]
    expect(limiter.isFull).toBe(true)
    expect(await limiter.wait(never)).toBe(false)
    impatient.abort()
    await waits[1]
    expect(limiter.waiting).toBe(2)
    limiter.leave()
    await waits[0]
    limiter.leave()
    await waits[2]
    expect(order).toEqual(['b false', 'a true', 'c true'])
    limiter.leave()
    expect(limiter.inside).toBe(0)
  })

  it('lets nobody wait whose signal has aborted', async () => {
    const limiter = new ConcurrencyLimiter({ insideMax: 1, waitingMax: 3 })
    expect(await limiter.wait(AbortSignal.abort())).toBe(false)
    expect(limiter.waiting).toBe(0)
  })

  it('never holds more than its limits, and loses no place, whatever happens in which order', async () => {
    const steps = array(constantFrom('enter', 'leave', 'give up'), { maxLength: 60 })
    await assert(
      asyncProperty(
        integer({ min: 1, max: 4 }),
        integer({ min: 0, max: 4 }),
        steps,
        async (insideMax, waitingMax, todo) => {
          const limiter = new ConcurrencyLimiter({ insideMax, waitingMax })
          const waiting: AbortController[] = []
          let inside = 0
          const enter = async () => {
            const mine = new AbortController()
            if (limiter.tryEnter()) inside++
            else if (!limiter.isFull) {
              waiting.push(mine)
              if (await limiter.wait(mine.signal)) inside++
              waiting.splice(waiting.indexOf(mine), 1)
            }
          }
          const waits: Promise<void>[] = []
          for (const step of todo) {
            if (step === 'enter') waits.push(enter())
            if (step === 'leave' && inside > 0) {
              inside--
              limiter.leave()
            }
            if (step === 'give up') waiting[0]?.abort()
            await new Promise((resolve) => setImmediate(resolve))
            expect(limiter.inside).toBe(inside)
            expect(inside).toBeLessThanOrEqual(insideMax)
            expect(limiter.waiting).toBeLessThanOrEqual(waitingMax)
            expect(limiter.waiting === 0 || inside === insideMax).toBe(true)
          }
          for (const one of waiting.slice()) one.abort()
          await Promise.all(waits)
        },
      ),
      { numRuns: 50 },
    )
  })
})

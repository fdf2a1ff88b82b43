import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { atJob, everyJob, type Job } from './job.ts'
import { startProcessJobs } from './process-jobs.ts'

const everyMs = 1_000

function bench(work: (signal: AbortSignal) => ReturnType<Job['run']>) {
  const clock = virtualClock()
  const logged: unknown[] = []
  const log = { info() {}, warn() {}, error: (fields: unknown) => void logged.push(fields) }
  const job = everyJob('1 second', 'tidy', async () => {})
  const jobs = startProcessJobs([job], { clock, log, run: (_, { signal }) => work(signal) })
  return { clock, logged, jobs }
}

describe('a job of a service without a store', () => {
  it('runs after each interval until it is stopped', async () => {
    let runs = 0
    const { clock, jobs } = bench(async () => void (runs += 1))
    await clock.advance(everyMs - 1)
    expect(runs).toBe(0)
    await clock.advance(1)
    expect(runs).toBe(1)
    await clock.advance(3 * everyMs)
    expect(runs).toBe(4)
    await jobs.stop()
    expect(clock.pending()).toBe(0)
    await clock.advance(3 * everyMs)
    expect(runs).toBe(4)
  })

  it('runs on when the clock is put back, an interval late at most', async () => {
    let runs = 0
    const { clock, jobs } = bench(async () => void (runs += 1))
    await clock.advance(everyMs)
    clock.jump(-3_600_000)
    await clock.advance(2 * everyMs)
    expect(runs).toBe(2)
    await clock.advance(3 * everyMs)
    expect(runs).toBe(5)
    await jobs.stop()
  })

  it('that takes longer than its interval is not run twice at once', async () => {
    let running = 0
    let most = 0
    const ends: (() => void)[] = []
    const { clock, jobs } = bench(async () => {
      most = Math.max(most, (running += 1))
      await new Promise<void>((resolve) => ends.push(resolve))
      running -= 1
    })
    await clock.advance(10 * everyMs)
    expect([ends.length, most]).toEqual([1, 1])
    ends[0]?.()
    await clock.advance(everyMs)
    expect([ends.length, most]).toEqual([2, 1])
    ends[1]?.()
    await jobs.stop()
  })

  it('that fails is logged, and runs again', async () => {
    let runs = 0
    const { clock, logged, jobs } = bench(async () => {
      runs += 1
      throw new Error('not today')
    })
    await clock.advance(2 * everyMs)
    expect(runs).toBe(2)
    expect(logged).toMatchObject([{ job: 'tidy', err: { message: 'not today' } }, { job: 'tidy' }])
    await jobs.stop()
  })

  it('that runs when the service stops is told, and waited for', async () => {
    let ended = false
    const { clock, logged, jobs } = bench(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended = true
      signal.throwIfAborted()
    })
    await clock.advance(everyMs)
    expect(ended).toBe(false)
    await jobs.stop()
    expect(ended).toBe(true)
    expect([logged, clock.pending()]).toEqual([[], 0])
  })

  it('at one time runs then, and not when that has passed: at each start it would run again', async () => {
    const clock = virtualClock()
    const ran: string[] = []
    const jobAt = (name: string, inMs: number) => atJob(new Date(clock.now() + inMs), name, async () => {})
    const log = { info() {}, warn() {}, error() {} }
    const jobs = startProcessJobs([jobAt('later', everyMs), jobAt('passed', -everyMs)], {
      clock,
      log,
      run: async ({ name }) => void ran.push(name),
    })
    await clock.advance(3 * everyMs)
    expect(ran).toEqual(['later'])
    await jobs.stop()
  })
})

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '../virtual-clock.ts'
import type { Attempt } from './ask-until-known.ts'
import { type OperationRecord, operationLog, readOperationLog } from './operation-log.ts'
import { type LoadOptions, runLoad, type Visit } from './run-load.ts'
import { seededDraws } from './seeded-draws.ts'
import { zipf } from './zipf.ts'

const directory = mkdtempSync(join(tmpdir(), 'trestle-load-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function loaded(options: Partial<LoadOptions> & Pick<LoadOptions, 'operations'> & { readonly clock?: VirtualClock }) {
  const clock = options.clock ?? virtualClock()
  const records: OperationRecord[] = []
  const log = { write: (record: OperationRecord) => void records.push(record), close() {} }
  const report = runLoad({ seed: 1, arrivalsPerSecond: 10, durationMs: 1_000, log, ...options, clock })
  return { clock, records, report }
}

async function asked(answers: readonly (Attempt<unknown> | Error)[], giveUpAfterMs = 60_000) {
  const keys: string[] = []
  let tries = 0
  const run = async (visit: Visit) => {
    await visit.ask({
      operation: 'place',
      key: 'k 1',
      input: { sku: 'A' },
      send: async (key) => {
        keys.push(key)
        const answer = answers[Math.min(tries++, answers.length - 1)] as Attempt<unknown> | Error
        if (answer instanceof Error) throw answer
        return answer
      },
    })
  }
  const { clock, records, report } = loaded({
    operations: [{ name: 'buy', weight: 1, run }],
    durationMs: 100,
    giveUpAfterMs,
  })
  for (let step = 0; step < 300; step += 1) await clock.advance(500)
  await report
  return { keys, records }
}

const visitors = async (staysMs: number, seed: number) => {
  const seen: string[] = []
  const run = async ({ number, draws, pause }: Visit) => {
    await pause(staysMs)
    seen.push(`${number} ${draws.below(1_000)}`)
  }
  const { clock, report } = loaded({
    seed,
    operations: [
      { name: 'a', weight: 1, run },
      { name: 'b', weight: 3, run },
    ],
  })
  await clock.advance(10_000)
  return { seen: seen.toSorted(), chosen: (await report).chosen }
}

describe('a load', () => {
  it('lets visitors arrive at a fixed rate, also while nobody is done', async () => {
    const arrivedAt: number[] = []
    const forever = Promise.withResolvers<void>()
    const clock = virtualClock()
    const { report } = loaded({
      clock,
      operations: [
        {
          name: 'wait',
          weight: 1,
          run: () => {
            arrivedAt.push(clock.monotonic())
            return forever.promise
          },
        },
      ],
    })
    await clock.advance(2_000)
    expect(arrivedAt).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900])
    forever.resolve()
    expect(await report).toMatchObject({ arrivals: 10, turnedAway: 0, broken: 0 })
  })

  it('turns visitors away beyond the bound, and says how many', async () => {
    const forever = Promise.withResolvers<void>()
    const { clock, report } = loaded({
      operations: [{ name: 'wait', weight: 1, run: () => forever.promise }],
      inFlightMax: 3,
    })
    await clock.advance(2_000)
    forever.resolve()
    expect(await report).toMatchObject({ arrivals: 10, turnedAway: 7 })
  })

  it('sends the same visitors for the same seed, however long each stays', async () => {
    expect(await visitors(1, 5)).toEqual(await visitors(700, 5))
    expect(await visitors(1, 5)).not.toEqual(await visitors(1, 6))
  })

  it('says what went wrong with a visit', async () => {
    const { clock, report } = loaded({
      operations: [{ name: 'bad', weight: 1, run: () => Promise.reject(new Error('no such shop')) }],
      durationMs: 200,
    })
    await clock.advance(1_000)
    expect(await report).toMatchObject({ broken: 2, reasons: ['bad: Error: no such shop', 'bad: Error: no such shop'] })
  })
})

describe('an operation of a load', () => {
  it('is invoked once and has one end', async () => {
    const { records } = await asked([{ kind: 'ok', value: { id: 1 } }])
    expect(records).toMatchObject([
      { kind: 'invoke', operation: 'place', key: 'k 1', input: { sku: 'A' } },
      { kind: 'ok', output: { id: 1 }, tries: 1 },
    ])
  })

  it('is asked for again under the same key until its outcome is known', async () => {
    const { records, keys } = await asked([
      new Error('connection reset'),
      { kind: 'unknown', code: 'unavailable' },
      { kind: 'fail', code: 'out_of_stock' },
    ])
    expect(keys).toEqual(['k 1', 'k 1', 'k 1'])
    expect(records).toMatchObject([
      { kind: 'invoke' },
      { kind: 'retry', code: 'connection reset' },
      { kind: 'retry', code: 'unavailable' },
      { kind: 'fail', code: 'out_of_stock', tries: 3 },
    ])
  })

  it('stays unknown when the bound is reached', async () => {
    const { records } = await asked([{ kind: 'unknown', code: 'unavailable' }], 5_000)
    expect(records.length).toBeGreaterThan(3)
    expect(records.at(-1)).toMatchObject({ kind: 'unknown', code: 'unavailable' })
  })

  it('is unknown when no answer comes in time', async () => {
    const signals: AbortSignal[] = []
    const send = (_key: string, signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<never>(() => {})
    }
    const run = async (visit: Visit) => {
      await visit.ask({ operation: 'place', key: 'k', send })
    }
    const { clock, records, report } = loaded({
      operations: [{ name: 'buy', weight: 1, run }],
      durationMs: 100,
      tryTimeoutMs: 1_000,
      giveUpAfterMs: 1_500,
    })
    await clock.advance(10_000)
    await report
    expect(signals.every((signal) => signal.aborted)).toBe(true)
    expect(records.at(-1)).toMatchObject({ kind: 'unknown', code: 'no_answer' })
  })
})

describe('an operation log', () => {
  it('is read back by operation, a line that is not whole yet left out', () => {
    const file = join(directory, 'operations.jsonl')
    const log = operationLog(file)
    log.write({ kind: 'invoke', id: '1', operation: 'place', key: 'a', at: 1, actor: 'ada', input: { sku: 'A' } })
    log.write({ kind: 'invoke', id: '2', operation: 'place', key: 'b', at: 2 })
    log.write({ kind: 'retry', id: '1', operation: 'place', key: 'a', at: 3, tries: 1, code: 'reset' })
    log.write({ kind: 'ok', id: '1', operation: 'place', key: 'a', at: 4, tries: 2, output: { id: 9 } })
    log.close()
    appendFileSync(file, '{"kind":"ok","id":"2"')
    expect(readOperationLog(file)).toMatchObject([
      { id: '1', actor: 'ada', input: { sku: 'A' }, outcome: 'ok', output: { id: 9 }, tries: 2, endedAt: 4 },
      { id: '2', outcome: 'unknown', endedAt: undefined },
    ])
  })

  it('is refused when it tells an end twice, or one without a beginning', () => {
    const twice = join(directory, 'twice.jsonl')
    const end = '{"kind":"ok","id":"1","operation":"place","key":"a","at":2}\n'
    appendFileSync(twice, '{"kind":"invoke","id":"1","operation":"place","key":"a","at":1}\n')
    appendFileSync(twice, end + end)
    expect(() => readOperationLog(twice)).toThrow(/twice/)
    const headless = join(directory, 'headless.jsonl')
    appendFileSync(headless, end)
    expect(() => readOperationLog(headless)).toThrow(/beginning/)
  })
})

describe('draws', () => {
  it('fork by name, not by what was drawn before', () => {
    const a = seededDraws(3)
    const b = seededDraws(3)
    b.below(10)
    expect(a.fork('x').below(1_000_000)).toBe(b.fork('x').below(1_000_000))
    expect(a.fork('x').below(1_000_000)).not.toBe(a.fork('y').below(1_000_000))
  })

  it("follow Zipf's law", () => {
    const rankOf = zipf(10)
    const draws = seededDraws(1)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let n = 0; n < 29_290; n += 1) {
      const rank = rankOf(draws)
      counts[rank] = (counts[rank] as number) + 1
    }
    // The tenth harmonic number is 2.929: rank 0 comes 10,000 times, rank 9 a thousand times.
    expect(counts[0]).toBeGreaterThan(9_700)
    expect(counts[0]).toBeLessThan(10_300)
    expect(counts[9]).toBeGreaterThan(900)
    expect(counts[9]).toBeLessThan(1_100)
    expect(() => zipf(0)).toThrow(RangeError)
  })
})

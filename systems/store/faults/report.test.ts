import { describe, expect, it } from 'vitest'
import { reportOf } from './report.ts'
import type { FaultCount, RunReport } from './run-seed.ts'

/** Runs in which these faults were planned, and fired so often. */
function runs(times: number, fired: Readonly<Record<string, number>>): readonly RunReport[] {
  const reached = Object.entries(fired).map(([name, count]): FaultCount => ({ name, of: [], fired: count }))
  return Array.from({ length: times }, (_, index) => ({
    topology: 'merged',
    seed: index + 1,
    tookMs: 1,
    load: { arrivals: 9, broken: 0, reasons: [] } as unknown as RunReport['load'],
    invariants: { holds: true, settledMs: 1, results: [] } as unknown as RunReport['invariants'],
    orders: {},
    givenUp: [],
    redriven: 0,
    reached,
  }))
}

const firing = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`fault ${n}`, 1]))

describe('the report of runs', () => {
  it('is good when every fault has fired', () => {
    expect(reportOf(runs(2, firing(5)))).toMatchObject({ good: true })
    expect(reportOf([]).good).toBe(false)
  })

  it('allows a few that have not fired in two runs, and names them', () => {
    const { good, lines } = reportOf(runs(2, { ...firing(40), quiet: 0 }))
    expect(good).toBe(true)
    expect(lines).toContainEqual('NOT FIRED  merged quiet')
    expect(lines.at(-1)).toBe('2 runs, 41 faults planned, 1 never fired, 0 runs with violations: all holds')
  })

  it('fails for many that have not fired, and for one that has not in three runs', () => {
    expect(reportOf(runs(2, { ...firing(10), quiet: 0 })).good).toBe(false)
    expect(reportOf(runs(3, { ...firing(40), quiet: 0 })).good).toBe(false)
  })
})

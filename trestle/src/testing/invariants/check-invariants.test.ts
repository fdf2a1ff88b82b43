import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../virtual-clock.ts'
import { checkInvariants } from './check-invariants.ts'
import { startChecker } from './checker-process.ts'
import { type Finding, type Invariant, look } from './invariant.ts'

const fine: Finding = { checked: 1, violations: [] }
const bad: Finding = { checked: 1, violations: [{ what: 'two captures', evidence: { order: 7 } }] }

function invariant(kind: Invariant['kind'], seen: (look: number) => Finding | Error): Invariant {
  let looks = 0
  return {
    name: 'at most one capture per order',
    kind,
    async look() {
      const finding = seen(looks++)
      if (finding instanceof Error) throw finding
      return finding
    },
  }
}

async function check(invariants: readonly Invariant[], { runsMs = 5_000, waitMs = 120_000 } = {}) {
  const clock = virtualClock()
  const healed = Promise.withResolvers<void>()
  const report = checkInvariants({ invariants, healed: healed.promise, clock })
  for (let ms = 0; ms < runsMs; ms += 500) await clock.advance(500)
  healed.resolve()
  for (let ms = 0; ms < waitMs; ms += 500) await clock.advance(500)
  return report
}

function late(settledAfter: number): Invariant {
  return invariant('eventually', (number) => (number < settledAfter ? bad : fine))
}

describe('a checker', () => {
  it('holds when nothing is wrong, and says how much it has looked at', async () => {
    const report = await check([invariant('always', () => fine), invariant('eventually', () => fine)])
    expect(report).toMatchObject({ holds: true, settledMs: 0 })
    expect(report.results[0]?.looks).toBeGreaterThanOrEqual(5)
    expect(report.results.map(({ checked, fault }) => ({ checked, fault }))).toEqual([
      { checked: 1, fault: undefined },
      { checked: 1, fault: undefined },
    ])
  })

  it('finds what was wrong once, with its evidence, although it was right before and after', async () => {
    const report = await check([invariant('always', (number) => (number === 3 ? bad : fine))])
    expect(report.holds).toBe(false)
    expect(report.results[0]).toMatchObject({
      violationsTotal: 1,
      violations: [{ what: 'two captures', evidence: { order: 7 } }],
    })
  })

  it('gives what must hold eventually its time, and no more', async () => {
    expect(await check([late(20)])).toMatchObject({ holds: true, settledMs: 10_000 })
    const report = await check([late(500)])
    expect(report).toMatchObject({ holds: false, settledMs: undefined })
    expect(report.results[0]?.fault).toMatch(/two captures/)
  })

  it('looks once more at what has settled', async () => {
    const report = await check([invariant('eventually', (number) => (number === 1 ? bad : fine))])
    expect(report).toMatchObject({ holds: false, settledMs: 0 })
  })

  it('does not look at what must hold eventually before all has healed', async () => {
    let looks = 0
    const eventually: Invariant = { name: 'x', kind: 'eventually', look: async () => (looks++, fine) }
    const clock = virtualClock()
    void checkInvariants({ invariants: [eventually], healed: new Promise(() => {}), clock })
    await clock.advance(10_000)
    expect(looks).toBe(0)
  })

  it('takes no answer for nothing, but wants one in the end', async () => {
    const down = new Error('unavailable')
    const during = await check([invariant('always', (number) => (number < 4 ? down : fine))])
    expect(during).toMatchObject({ holds: true, results: [{ unanswered: 4 }] })
    const forGood = await check([invariant('always', () => down)])
    expect(forGood).toMatchObject({ holds: false, results: [{ fault: 'no answer in the end: unavailable' }] })
  })

  it('does not pass on zero inputs', async () => {
    const nothing: Finding = { checked: 0, violations: [] }
    expect(await check([invariant('always', () => nothing)])).toMatchObject({ holds: false })
    expect(await check([])).toMatchObject({ holds: false })
  })

  it('runs in a process of its own, which reports when it is told that all has healed', async () => {
    const program = fileURLToPath(new URL('./fixtures/checker-main.ts', import.meta.url))
    const report = await startChecker(program, ['one capture too many'], process.env).healed()
    expect(report).toMatchObject({ holds: false, results: [{ violations: [{ what: 'one capture too many' }] }] })
    await expect(startChecker(program, ['break'], process.env).healed()).rejects.toThrow(/without a report/)
  })
})

describe('a look at a list', () => {
  it('counts what was looked at and keeps what is wrong', () => {
    expect(look([1, 2, 3], (n) => (n % 2 === 1 ? `${n} is odd` : undefined))).toEqual({
      checked: 3,
      violations: [
        { what: '1 is odd', evidence: 1 },
        { what: '3 is odd', evidence: 3 },
      ],
    })
  })
})

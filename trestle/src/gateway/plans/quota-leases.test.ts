import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { platformProblem } from '../../call/problem.ts'
import { CallError } from '../../call/call-error.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { periodAt } from './quota-period.ts'
import { type QuotaDemand, QuotaLeases, type QuotaLeasesDeps, type TakenUnits } from './quota-leases.ts'
import { quotaSpec } from './quota-options.ts'

/** What the database does, without one: the leases of every gateway of a test come from here. */
function ledger() {
  const spent = new Map<string, number>()
  let down = false
  const answer = { ok: false as const, error: new CallError('x', platformProblem('unavailable')) }
  const ask = {
    leaseQuota: {
      async try(input: { subject: string; period: string; allow: number; units: number }) {
        await Promise.resolve()
        if (down) return answer
        const id = `${input.subject} ${input.period}`
        const before = spent.get(id) ?? 0
        const granted = Math.min(input.units, Math.max(0, input.allow - before))
        spent.set(id, before + granted)
        return { ok: true as const, value: { granted, spent: before + granted } }
      },
    },
    returnQuota: {
      async try({ leases }: { leases: readonly { subject: string; period: string; units: number }[] }) {
        for (const { subject, period, units } of leases) {
          const id = `${subject} ${period}`
          spent.set(id, (spent.get(id) ?? 0) - units)
        }
        return { ok: true as const, value: undefined }
      },
    },
  }
  return {
    spent,
    setDown: (value: boolean) => (down = value),
    // Only what the leases ask for is there.
    ask: (() => ask) as unknown as QuotaLeasesDeps['ask'],
  }
}

const demand = (units: number, allow: number): QuotaDemand => ({ subject: 's', per: 'day', allow, units })
const isTaken = (outcome: object): outcome is TakenUnits => 'units' in outcome

describe('leases of a quota', () => {
  it('are of no use for what a smaller plan does not allow any more, and of use again for a greater one', async () => {
    const clock = virtualClock()
    const { ask } = ledger()
    const leases = new QuotaLeases({ ask, clock, spec: quotaSpec({}), onDown() {} })
    for (let i = 0; i < 20; i += 1) expect(await leases.take(demand(1, 10_000))).toHaveProperty('units')
    expect(await leases.take(demand(1, 20))).toMatchObject({ refused: 'exceeded' })
    expect(await leases.take(demand(1, 21))).toHaveProperty('units')
    expect(await leases.take(demand(1, 21))).toMatchObject({ refused: 'exceeded' })
    expect(await leases.take(demand(1, 10_000))).toHaveProperty('units')
  })

  it('never let more be served than the quota, whoever asks, crashes, closes or gives back', async () => {
    const step = fc.record({
      gateway: fc.nat({ max: 3 }),
      units: fc.integer({ min: 1, max: 7 }),
      end: fc.constantFrom('serve', 'serve', 'serve', 'free', 'crash', 'close'),
      asked: fc.integer({ min: 1, max: 9 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(step, { maxLength: 40 }),
        async (allow, leaseMax, steps) => {
          const clock = virtualClock()
          const { ask, spent } = ledger()
          const open = () => new QuotaLeases({ ask, clock, spec: quotaSpec({ leaseMax }), onDown() {} })
          const gateways = Array.from({ length: 4 }, open)
          let served = 0
          for (const { gateway, units, end, asked } of steps) {
            const leases = gateways[gateway] as QuotaLeases
            const outcomes = await Promise.all(
              Array.from({ length: asked }, async () => leases.take(demand(units, allow))),
            )
            const taken = outcomes.filter(isTaken)
            if (end === 'free') for (const one of taken) leases.giveBack(one)
            else served += taken.length * units
            if (end === 'close') await leases.close()
            if (end === 'crash' || end === 'close') gateways[gateway] = open()
            expect(served).toBeLessThanOrEqual(allow)
            for (const total of spent.values()) expect(total).toBeLessThanOrEqual(allow)
            await clock.advance(1_000)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('serve all of it when nobody crashes: what is left lies with nobody when blocks get small', async () => {
    const clock = virtualClock()
    const { ask } = ledger()
    const gateways = Array.from({ length: 3 }, () => new QuotaLeases({ ask, clock, spec: quotaSpec(), onDown() {} }))
    let served = 0
    let refusedBy = new Set<number>()
    for (let at = 0; refusedBy.size < 3; at = (at + 1) % 3) {
      const outcome = await (gateways[at] as QuotaLeases).take(demand(1, 500))
      if (isTaken(outcome)) served += 1
      refusedBy = isTaken(outcome) ? new Set() : refusedBy.add(at)
    }
    expect(served).toBe(500)
  })

  it('ask for a block for all that wait, not for each', async () => {
    const clock = virtualClock()
    const { ask, spent } = ledger()
    const leases = new QuotaLeases({ ask, clock, spec: quotaSpec({ leaseMax: 1 }), onDown() {} })
    const outcomes = await Promise.all(Array.from({ length: 50 }, async () => leases.take(demand(1, 1_000))))
    expect(outcomes.every(isTaken)).toBe(true)
    expect([...spent.values()]).toEqual([50])
  })

  it('begin anew with each period, and take nothing back into a new one', async () => {
    const clock = virtualClock(Date.UTC(2031, 0, 31, 23, 59, 59))
    const { ask, spent } = ledger()
    const leases = new QuotaLeases({ ask, clock, spec: quotaSpec(), onDown() {} })
    const late = await leases.take(demand(2, 2))
    expect(await leases.take(demand(1, 2))).toMatchObject({ refused: 'exceeded' })
    await clock.advance(1_000)
    const early = await leases.take(demand(2, 2))
    expect([isTaken(late), isTaken(early)]).toEqual([true, true])
    leases.giveBack(late as TakenUnits)
    await clock.advance(2_000)
    expect(await leases.take(demand(1, 2))).toMatchObject({ refused: 'exceeded' })
    expect([...spent.keys()]).toEqual(['s day:2031-01-31', 's day:2031-02-01'])
  })

  it('do as they are told while the store is down, and pay for it afterwards', async () => {
    const clock = virtualClock()
    const { ask, setDown, spent } = ledger()
    const told: unknown[] = []
    const open = (whenStoreDown: 'open' | 'closed' | 'local') =>
      new QuotaLeases({ ask, clock, spec: quotaSpec({ whenStoreDown }), onDown: (error) => told.push(error) })
    setDown(true)
    expect(await open('closed').take(demand(1, 2))).toMatchObject({ refused: 'down' })
    const local = open('local')
    expect(isTaken(await local.take(demand(2, 2)))).toBe(true)
    expect(await local.take(demand(1, 2))).toMatchObject({ refused: 'exceeded' })
    const open5 = open('open')
    for (let n = 0; n < 5; n += 1) expect(isTaken(await open5.take(demand(1, 2)))).toBe(true)
    // Asked once for each gateway, not for each request.
    expect(told).toHaveLength(3)
    setDown(false)
    await clock.advance(2_000)
    expect(await local.take(demand(1, 2))).toMatchObject({ refused: 'exceeded' })
    expect([...spent.values()]).toEqual([2])
  })
})

describe('a period of a quota', () => {
  it('is a day or a month of UTC', () => {
    const at = Date.UTC(2028, 1, 29, 23, 59, 59, 999)
    expect(periodAt('day', at)).toEqual({
      id: 'day:2028-02-29',
      startsAtMs: Date.UTC(2028, 1, 29),
      endsAtMs: Date.UTC(2028, 2, 1),
    })
    expect(periodAt('month', at)).toMatchObject({ id: 'month:2028-02', endsAtMs: Date.UTC(2028, 2, 1) })
    expect(periodAt('month', Date.UTC(2028, 11, 31)).endsAtMs).toBe(Date.UTC(2029, 0, 1))
  })
})

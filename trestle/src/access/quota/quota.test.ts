import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { access } from '../../gateway/access/contract.ts'
import { type StartedServices, startServices } from '../../testing/start-services.ts'
import service from '../service.ts'
import type { AccessTables } from '../tables.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([service])
})
afterAll(() => services[Symbol.asyncDispose]())

const ask = () => services.client(access)
let periods = 0
const newPeriod = () => `test:${(periods += 1)}`
const lease = (period: string, units: number, allow: number) => ask().leaseQuota({ subject: 's', period, allow, units })

describe('the leases of a quota', () => {
  it('are never more in all than is allowed, however many take at once', async () => {
    const wants = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(wants, fc.integer({ min: 0, max: 200 }), async (units, allow) => {
        const period = newPeriod()
        const leases = await Promise.all(units.map((one) => lease(period, one, allow)))
        const granted = leases.reduce((total, one) => total + one.granted, 0)
        const wanted = units.reduce((total, one) => total + one, 0)
        expect(granted).toBe(Math.min(wanted, allow))
        expect(Math.max(...leases.map(({ spent }) => spent))).toBe(granted)
        for (const [at, one] of leases.entries()) expect(one.granted).toBeLessThanOrEqual(units[at] as number)
      }),
      { numRuns: 40 },
    )
  })

  it('follow an allowance that grows or shrinks', async () => {
    const period = newPeriod()
    expect(await lease(period, 10, 5)).toEqual({ granted: 5, spent: 5 })
    expect(await lease(period, 10, 3)).toEqual({ granted: 0, spent: 5 })
    expect(await lease(period, 10, 12)).toEqual({ granted: 7, spent: 12 })
    expect(await lease(period, 1, 0)).toEqual({ granted: 0, spent: 12 })
  })

  it('can be given back, several of a quota at once too', async () => {
    const period = newPeriod()
    await lease(period, 10, 10)
    const back = (units: number) => ({ subject: 's', period, units })
    await ask().returnQuota({ leases: [back(2), back(3), { ...back(1), subject: 'nobody' }] })
    expect(await lease(period, 10, 10)).toEqual({ granted: 5, spent: 10 })
    await ask().returnQuota({ leases: [] })
  })

  it('are forgotten long after their period', async () => {
    const [old, young] = [newPeriod(), newPeriod()]
    await lease(old, 1, 10)
    services.pass(91 * 86_400_000)
    await lease(young, 1, 10)
    await services.runJob('gateway-access', 'forget-quotas')
    const { db } = services.store<AccessTables>('gateway-access')
    expect(await db.selectFrom('quotas').select('period').execute()).toEqual([{ period: young }])
  })
})

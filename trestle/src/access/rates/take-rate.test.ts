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

const hour = 3_600_000
/** `burst` units that come back one an hour: as good as never in a test. */
const take = (key: string, cost = 1, burst = 3) =>
  services.client(access).takeRate({ key, cost, emissionMs: hour, burstMs: burst * hour })

describe('a shared step of a rate', () => {
  it('lets as many through as the burst has, and says when the debt is over', async () => {
    const first = await take('a')
    expect(first.allowed).toBe(true)
    expect(first.tatMs - first.nowMs).toBeCloseTo(hour, -2)
    await take('a', 2)
    const refused = await take('a')
    expect(refused.allowed).toBe(false)
    expect(refused.tatMs - first.nowMs).toBeCloseTo(3 * hour, -2)
  })

  it('counts exactly however many take at once', async () => {
    const taken = await Promise.all(Array.from({ length: 30 }, () => take('b', 1, 7)))
    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(7)
  })

  it('never lets more through at once than the burst, and takes nothing when it refuses', async () => {
    expect((await take('c', 4)).allowed).toBe(false)
    expect((await take('c', 3)).allowed).toBe(true)
    expect((await take('c', 0)).allowed).toBe(true)
  })

  it('takes back what is given back, also from a counter that nobody knows', async () => {
    await take('d', 3)
    expect((await take('d', -1)).allowed).toBe(true)
    expect((await take('d', 2)).allowed).toBe(false)
    expect((await take('d', 1)).allowed).toBe(true)
    expect((await take('e', -1)).allowed).toBe(true)
    expect((await take('e', 3)).allowed).toBe(true)
    expect((await take('e', 1)).allowed).toBe(false)
  })

  it('forgets counters without debt', async () => {
    await services.client(access).takeRate({ key: 'quick', cost: 1, emissionMs: 0.001, burstMs: 1 })
    await services.runJob('gateway-access', 'forget-rates')
    const { db } = services.store<AccessTables>('gateway-access')
    const keys = (await db.selectFrom('rates').select('key').execute()).map(({ key }) => key)
    expect(keys).toContain('a')
    expect(keys).not.toContain('quick')
  })
})

import { describe, expect, it } from 'vitest'
import { connectAdmin, startAdmin } from '../admin/index.ts'
import { access } from '../gateway/access/contract.ts'
import { local, runners, type TestSystem } from '../testing/index.ts'
import { eventually } from './fixtures/edge.ts'

const priced = new URL('./fixtures/priced/system.ts', import.meta.url)

/** A new connection for each request, so that both gateways get some. */
async function statusOf(system: TestSystem, secret: string, path = '/lookup/1'): Promise<number> {
  const reply = await system.fetch(path, { headers: { 'x-api-key': secret, connection: 'close' } })
  await reply.arrayBuffer()
  return reply.status
}

describe.each(runners)('keys and plans on the runner %s', (runner) => {
  it('sell what a plan has, to its last unit, and end with the key, at every gateway', async () => {
    await using system = await runner.start(priced, { replicas: { gateway: 2 } })
    const keys = system.client(access)
    const free = await keys.createKey({ name: 'first', owner: 'ada', plan: 'free' })
    const found = await system.fetch('/lookup/1', { headers: { 'x-api-key': free.secret } })
    expect(await found.json()).toEqual({ id: '1', owner: 'ada', plan: 'free' })
    expect(await statusOf(system, free.secret, '/all')).toBe(403)
    const all = await Promise.all(Array.from({ length: 60 }, () => statusOf(system, free.secret)))
    const rest: number[] = []
    for (let n = 0; n < 30; n += 1) rest.push(await statusOf(system, free.secret))
    const served = [200, ...all, ...rest].filter((status) => status === 200).length
    expect(served).toBe(40)
    expect([...all, ...rest].every((status) => status === 200 || status === 429)).toBe(true)
    await keys.updateKey({ id: free.key.id, plan: 'premium' })
    await eventually(async () => (await statusOf(system, free.secret, '/all')) === 200)
    await keys.revokeKey({ id: free.key.id })
    await eventually(async () => {
      const several = await Promise.all(Array.from({ length: 8 }, () => statusOf(system, free.secret)))
      return several.every((status) => status === 401)
    })
    await eventually(async () => {
      const usage = await keys.usage({ keyId: free.key.id, route: 'lookup.find', by: 'total', groups: ['status'] })
      return usage.some(({ statusClass, units }) => statusClass === '2xx' && units >= 40)
    })
  })
})

describe('the admin listener', () => {
  it('lets an operator make keys and plans, and refuses what cannot be', async () => {
    await using system = await local.start(priced, { admin: startAdmin })
    const admin = await connectAdmin({ dataDir: system.dataDir })
    if (admin === undefined) throw new Error('the admin listener is not there')
    const { key, secret } = await admin.access.createKey({ name: 'x', owner: 'ada', plan: 'free', scopes: ['a'] })
    expect(await statusOf(system, secret)).toBe(200)
    const changed = await admin.access.updateKey({ id: key.id, plan: null })
    expect(changed).toMatchObject({ plan: null, scopes: ['a'] })
    expect(await admin.access.createKey.try({ name: 'x', owner: 'ada', plan: 'none' })).toMatchObject({
      error: { code: 'plan_not_found', status: 404 },
    })
    expect(await admin.access.putPlan.try({ name: 'free' })).toMatchObject({ error: { code: 'plan_declared' } })
    expect((await admin.access.putPlan({ name: 'mine', limits: [{ allow: 1, windowMs: 1_000 }] })).declared).toBe(false)
    expect((await admin.access.listPlans({})).map(({ name }) => name)).toEqual(['free', 'mine', 'premium'])
    await admin.access.removePlan({ name: 'mine' })
    await eventually(async () => (await admin.access.usage({ groups: ['route'], by: 'total' })).length > 0)
    await admin.close()
  })

  it('says so when the system has neither keys nor plans', async () => {
    const tiny = new URL('../system/fixtures/tiny/system.ts', import.meta.url)
    await using system = await local.start(tiny, { admin: startAdmin })
    const admin = await connectAdmin({ dataDir: system.dataDir })
    expect(await admin?.access.listPlans.try({})).toMatchObject({ error: { code: 'keys_unused', status: 404 } })
    await admin?.close()
  })
})

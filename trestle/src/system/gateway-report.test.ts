import { describe, expect, it } from 'vitest'
import { local, split } from '../testing/index.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

describe('what running gateways say of themselves', () => {
  it('is one report of a system in one process, which balances nothing', async () => {
    await using system = await local.start(tiny)
    const reports = await system.operator.gateways()
    expect(reports).toHaveLength(1)
    expect(reports[0]?.clusters).toEqual([])
    expect(reports[0]?.routes).toContainEqual({
      method: 'GET',
      path: '/counts/{name}',
      hosts: [],
      name: 'counter.read',
      kind: 'operation',
      access: 'anyone',
      policies: [],
    })
  })

  it('is one of each replica, with the instances of services as that one has seen them', async () => {
    await using system = await split.start(tiny)
    await system.scale('gateway', 2)
    const asked = await Promise.all(Array.from({ length: 10 }, () => system.fetch('/greetings/ann')))
    expect(asked.map(({ status }) => status)).toEqual(Array(10).fill(200))
    const reports = await system.operator.gateways()
    expect(reports.map(({ process }) => process)).toEqual(['gateway-1', 'gateway-2'])
    const [first, second] = reports
    expect(first?.routes.length).toBeGreaterThan(3)
    expect(first?.routes).toEqual(second?.routes)
    const greeters = reports
      .flatMap(({ clusters }) => clusters)
      .filter(({ kind, name }) => kind === 'service' && name.startsWith('greeter'))
    const members = greeters.flatMap((cluster) => cluster.members)
    expect(members.reduce((sum, { requests }) => sum + requests, 0)).toBe(10)
    for (const member of members) expect(member).toMatchObject({ state: 'healthy', failures: 0, inFlight: 0 })
  })
})

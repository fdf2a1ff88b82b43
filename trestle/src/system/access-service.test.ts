import { describe, expect, it } from 'vitest'
import { access, expose, gateway } from '../gateway/index.ts'
import { runners } from '../testing/index.ts'
import keyed from './fixtures/keyed/system.ts'
import { counter } from './fixtures/tiny/contracts.ts'
import { oneProcess, run, system } from './index.ts'
import { placementOf } from './placement.ts'

const groupsOf = (topology: string) =>
  placementOf(keyed, topology).groups.map(({ name, services, gateway: edge }) => [name, services, edge])

const taken = () =>
  system('taken', {
    services: [run(counter, () => import('./fixtures/tiny/counter.ts'), { name: 'gateway-access' })],
    gateway: gateway({ routes: [expose(counter)] }),
    topologies: { merged: oneProcess() },
  })

describe('the service of keys and plans', () => {
  it('is part of a system whose gateway asks it, and of no other', () => {
    expect(keyed.services.map(({ name }) => name)).toEqual(['counter', 'gateway-access'])
    const without = system('without', {
      services: [run(counter, () => import('./fixtures/tiny/counter.ts'))],
      gateway: gateway({ routes: [expose(counter)] }),
      topologies: { merged: oneProcess() },
    })
    expect(without.services.map(({ name }) => name)).toEqual(['counter'])
  })

  it('has a process of its own unless somebody placed it', () => {
    expect(groupsOf('split')).toContainEqual(['gateway-access', ['gateway-access'], false])
    expect(groupsOf('grouped')).toContainEqual(['gateway-access', ['gateway-access'], false])
    expect(groupsOf('placed')).toContainEqual(['edge', ['gateway-access'], true])
  })

  it("cannot be somebody else's service", () => {
    expect(taken).toThrow(/'gateway-access': the platform uses that name/)
  })

  it.each(runners)('answers the operator on the runner %s', async (runner) => {
    await using running = await runner.start(new URL('./fixtures/keyed/system.ts', import.meta.url))
    const { key, secret } = await running.client(access).createKey({ name: 'first', owner: 'alice' })
    expect(secret.startsWith(key.prefix)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { contract, get } from '../contract/index.ts'
import { gateway } from '../gateway/index.ts'
import { placementOf } from './placement.ts'
import { external, run } from './placed-service.ts'
import { startOrder } from './start-order.ts'
import { system, type SystemSpec } from './system.ts'
import { groups, oneProcess, processPerService } from './topology.ts'

const noCode = () => Promise.reject(new Error('definitions load no code'))
const named = (name: string, version = '1.0.0') => contract(name, { version, operations: { read: get('/', {}) } })
const edge = gateway({ routes: [] })

function define(topologies: SystemSpec['topologies'], services: SystemSpec['services'] = two) {
  return system('shop', { services, gateway: edge, topologies })
}
const two = [run(named('orders'), noCode), run(named('carts'), noCode)]

describe('the definition of a system', () => {
  it('places all in one process, each by itself, or in groups', () => {
    const shop = define({
      merged: oneProcess(),
      split: processPerService({ replicas: { orders: 2 } }),
      some: groups({ edge: ['gateway'], core: ['orders', 'carts'] }, { replicas: { core: 3 } }),
    })
    expect(placementOf(shop)).toMatchObject({ topology: 'merged', inThisProcess: true })
    expect(placementOf(shop, 'split').groups.map(({ name, replicas }) => `${name} ${replicas}`)).toEqual([
      'orders 2',
      'carts 1',
      'gateway 1',
    ])
    expect(placementOf(shop, 'some').groups).toEqual([
      { name: 'edge', services: [], gateway: true, replicas: 1 },
      { name: 'core', services: ['orders', 'carts'], gateway: false, replicas: 3 },
    ])
    expect(() => placementOf(shop, 'nowhere')).toThrow('there is no such topology; there are merged, split, some')
  })

  it.each([
    [
      'an unknown service in a group',
      groups({ a: ['gateway', 'orders', 'carts', 'cats'] }),
      "names 'cats', which is none",
    ],
    [
      'a service placed twice',
      groups({ a: ['gateway', 'orders'], b: ['orders', 'carts'] }),
      "'orders' is placed twice",
    ],
    ['a service placed nowhere', groups({ a: ['gateway', 'orders'] }), 'placed nowhere: carts'],
    ['no gateway in any group', groups({ a: ['orders', 'carts'] }), 'placed nowhere: gateway'],
    ['an empty group', groups({ a: [], b: ['gateway', 'orders', 'carts'] }), "the group 'a' is empty"],
    ['replicas of an unknown group', processPerService({ replicas: { cats: 2 } }), "replicas names 'cats'"],
    [
      'no whole number of replicas',
      processPerService({ replicas: { orders: 1.5 } }),
      'not a whole number from 1 to 64',
    ],
  ])('refuses %s', (_, topology, message) => {
    expect(() => define({ t: topology })).toThrow(message)
  })

  it('refuses two services of one name, one contract in two services, and names of the platform', () => {
    const t = { t: oneProcess() }
    expect(() => define(t, [run(named('a'), noCode), run(named('a', '2.0.0'), noCode)])).toThrow("two services 'a'")
    const twice = [run(named('a'), noCode), run(named('a'), noCode, { name: 'b' })]
    expect(() => define(t, twice)).toThrow("a@1 is implemented by 'a' and by 'b'")
    expect(() => define(t, [run(named('gateway'), noCode)])).toThrow("cannot be called 'gateway'")
    expect(() => define({})).toThrow('it has no topology')
    expect(() => external(named('maps'), { url: 'ftp://maps' })).toThrow('not an http or https URL')
  })
})

describe('the start order', () => {
  it('puts what is needed first, and a circle in one wave', () => {
    const order = startOrder([
      { name: 'edge', needs: ['a', 'b', 'c', 'edge'] },
      { name: 'a', needs: ['b', 'unknown'] },
      { name: 'b', needs: ['c'] },
      { name: 'c', needs: ['b'] },
      { name: 'd', needs: [] },
    ])
    expect(order).toEqual([['b', 'c', 'd'], ['a'], ['edge']])
  })
})

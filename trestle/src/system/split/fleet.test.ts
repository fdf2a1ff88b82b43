import { afterEach, describe, expect, it } from 'vitest'
import { contract, get } from '../../contract/index.ts'
import type { SystemSnapshot } from '../host/snapshot.ts'
import { type FakeBehaviour, fakeChildren } from '../fixtures/fake-children.ts'
import type { StoreNeed } from '../open-stores.ts'
import { placementOf } from '../placement.ts'
import { run } from '../placed-service.ts'
import type { System } from '../system.ts'
import { groups, processPerService, type Topology } from '../topology.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { Fleet } from './fleet.ts'
import { fleetOperator } from './fleet-operator.ts'

const noCode = () => Promise.reject(new Error('a fleet loads no code'))
const named = (name: string) => contract(name, { version: '1.0.0', operations: { read: get('/', {}) } })

function systemOf(topology: Topology): System {
  return {
    kind: 'system',
    bus: 'embedded',
    name: 'test',
    services: ['orders', 'carts', 'stock'].map((name) => run(named(name), noCode)),
    externals: [],
    gateway: {} as System['gateway'],
    beside: {},
    topologies: { t: topology },
  }
}

/** Orders use carts and stock, carts use stock. */
const behaviours: Record<string, FakeBehaviour> = {
  orders: { contracts: ['orders@1'], uses: ['carts@1', 'stock@1'] },
  carts: { contracts: ['carts@1'], uses: ['stock@1'] },
  stock: { contracts: ['stock@1'] },
}

const open: Fleet[] = []
afterEach(() => {
  for (const fleet of open.splice(0)) fleet.kill()
})

function setUp(topology: Topology = processPerService(), first: Record<string, FakeBehaviour> = behaviours) {
  const journal: string[] = []
  let behaviour = first
  const clock = virtualClock()
  const fakes = fakeChildren(() => behaviour, journal)
  const system = systemOf(topology)
  const views: SystemSnapshot[] = []
  const lines: string[] = []
  const needs: StoreNeed[] = []
  const log = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const fleet = new Fleet({
    system,
    systemUrl: new URL('file:///nowhere/system.ts'),
    placement: placementOf(system, 't'),
    gateway: { host: '127.0.0.1', port: 0 },
    socketDir: '/fake',
    key: new Uint8Array(32),
    stores: {
      connectionsFor: async (more) => {
        needs.push(...more)
        return {}
      },
    },
    clock,
    random: () => 0.5,
    log: { info: log, warn: log, error: log },
    logLevel: 'silent',
    spawn: fakes.spawn,
    onProgress: () => {},
    onSnapshot: (snapshot) => views.push(snapshot),
    drainTimeoutMs: 5_000,
    startIdleMs: 30_000,
  })
  open.push(fleet)
  const operator = fleetOperator(fleet, {
    send: () => Promise.reject(new Error('no calls here')),
    startedAtMs: 0,
    ownMetrics: () => '',
  })
  return {
    fleet,
    operator,
    clock,
    journal,
    lines,
    needs,
    views,
    ...fakes,
    become: (next: Record<string, FakeBehaviour>) => {
      behaviour = { ...behaviour, ...next }
    },
    ids: () => (views.at(-1)?.instances ?? []).map((instance) => `${instance.id} ${instance.state}`),
  }
}

describe('a fleet', () => {
  it('loads all code at once and opens the services in the order in which they use each other, the gateway last', async () => {
    const { fleet, journal } = setUp()
    await fleet.start()
    expect(journal.slice(0, 4).every((line) => line.startsWith('prepare'))).toBe(true)
    expect(journal.slice(4)).toEqual(['start stock-1', 'start carts-1', 'start orders-1', 'start gateway-1'])
    expect(fleet.gatewayPort()).toBe(7)
  })

  it('starts services that use each other in a circle together', async () => {
    const circle = { ...behaviours, stock: { contracts: ['stock@1'], uses: ['orders@1'] } }
    const { fleet, journal, alive } = setUp(processPerService(), circle)
    await fleet.start()
    expect(journal.at(-1)).toBe('start gateway-1')
    expect(alive()).toHaveLength(4)
  })

  it('fails the start with the cause and leaves nothing behind', async () => {
    const broken = {
      ...behaviours,
      carts: { contracts: ['carts@1'], uses: ['stock@1'], failStart: 'carts: its migrations failed: no' },
    }
    const { fleet, alive, journal } = setUp(processPerService(), broken)
    await expect(fleet.start()).rejects.toMatchObject({
      code: 'service_failed',
      message: 'carts: its migrations failed: no',
    })
    expect(alive()).toEqual([])
    expect(journal).not.toContain('start orders-1')
  })

  it('fails the start when code cannot be loaded, naming the service once', async () => {
    const { fleet, alive } = setUp(processPerService(), { ...behaviours, stock: { contracts: [], failLoad: 'syntax' } })
    await expect(fleet.start()).rejects.toMatchObject({ message: 'stock: syntax' })
    expect(alive()).toEqual([])
  })

  it('fails a start in which nothing moves', async () => {
    const { fleet, clock } = setUp(processPerService(), {
      ...behaviours,
      stock: { contracts: ['stock@1'], stuck: true },
    })
    const started = fleet.start().catch((error: Error) => error.message)
    await clock.advance(30_000)
    expect(await started).toBe('stock: nothing happened for 30000 ms')
  })

  it('stops the edge first, then what it uses', async () => {
    const { fleet, journal, alive } = setUp()
    await fleet.start()
    await fleet.stop()
    expect(journal.slice(-4)).toEqual(['drain gateway-1', 'drain orders-1', 'drain carts-1', 'drain stock-1'])
    expect(alive()).toEqual([])
  })

  it('brings a crashed process back as a new instance, and says meanwhile that it is down', async () => {
    const { fleet, operator, clock, children, ids } = setUp()
    await fleet.start()
    expect(ids()).toContain('stock-1.1/stock ready')
    children.find((child) => child.process === 'stock-1')?.crash('out of memory')
    await clock.advance(1)
    expect(ids().some((id) => id.includes('stock'))).toBe(false)
    expect((await operator.readiness()).waitingFor).toEqual([{ service: 'stock', reason: 'out of memory' }])
    await clock.advance(1_000)
    expect(ids()).toContain('stock-1.2/stock ready')
    expect((await operator.readiness()).ready).toBe(true)
  })

  it('ends a process that answers nothing, with the reason in the log, and starts it again', async () => {
    const { fleet, clock, children, lines, ids } = setUp()
    await fleet.start()
    const hung = children.find((child) => child.process === 'carts-1')
    if (hung !== undefined) hung.answers = false
    await clock.advance(11_999)
    expect(hung?.alive).toBe(true)
    await clock.advance(2_000)
    expect(hung?.alive).toBe(false)
    expect(lines.some((line) => line.includes('did not answer for 10000 ms'))).toBe(true)
    expect(ids()).toContain('carts-1.2/carts ready')
  })

  it('tells every process where all the others are, and which contracts there are', async () => {
    const { fleet, children } = setUp()
    await fleet.start()
    const last = children.find((child) => child.services.includes('stock'))?.snapshots.at(-1)
    expect(last?.instances.map((instance) => instance.service).toSorted()).toEqual(['carts', 'orders', 'stock'])
    expect(last?.contracts.toSorted()).toEqual(['carts@1', 'orders@1', 'stock@1'])
    expect(last?.uses['orders']).toEqual(['carts@1', 'stock@1'])
  })
})

describe('the operator of a fleet', () => {
  it('scales up and down, the newest going first', async () => {
    const { fleet, operator, ids, alive } = setUp()
    await fleet.start()
    expect(await operator.scale('orders', 3)).toEqual({ group: 'orders', services: ['orders'], replicas: 3 })
    expect(ids().filter((id) => id.includes('orders'))).toEqual([
      'orders-1.1/orders ready',
      'orders-2.1/orders ready',
      'orders-3.1/orders ready',
    ])
    await operator.scale('orders', 1)
    expect(alive().filter((process) => process.startsWith('orders'))).toEqual(['orders-1'])
    await expect(operator.scale('orders', 0)).rejects.toMatchObject({ code: 'invalid_replicas' })
  })

  it('deploys: the new ones are announced together, and only then the old ones drain', async () => {
    const { fleet, operator, views, journal, become, ids } = setUp(processPerService({ replicas: { orders: 2 } }))
    await fleet.start()
    const before = views.length
    become({ orders: { contracts: ['orders@1', 'orders@2'], version: '2.0.0' } })
    await operator.deploy('orders')
    const during = views
      .slice(before)
      .map((view) =>
        view.instances
          .filter((each) => each.service === 'orders' && each.state === 'ready')
          .map((each) => each.version),
      )
    // At no moment was there no ready instance, and old and new were only mixed when all the new ones were there.
    expect(during.every((versions) => versions.length >= 2)).toBe(true)
    const mixed = during.filter((versions) => versions.includes('1.0.0') && versions.includes('2.0.0'))
    expect(mixed.every((versions) => versions.filter((version) => version === '2.0.0').length === 2)).toBe(true)
    expect(journal.slice(-2).toSorted()).toEqual(['drain orders-1', 'drain orders-2'])
    expect(ids().filter((id) => id.includes('orders'))).toEqual(['orders-3.1/orders ready', 'orders-4.1/orders ready'])
    expect(views.at(-1)?.contracts).toContain('orders@2')
  })

  it('rolls a deployment back when the new code does not come up, and says why', async () => {
    const { fleet, operator, become, alive, ids, lines } = setUp()
    await fleet.start()
    become({ orders: { contracts: ['orders@1'], failStart: 'orders: its start hook failed: bad data' } })
    await expect(operator.deploy('orders')).rejects.toMatchObject({
      code: 'deploy_failed',
      message: 'orders: its start hook failed: bad data; what ran before still runs',
    })
    expect(alive().filter((process) => process.startsWith('orders'))).toEqual(['orders-1'])
    expect(ids()).toContain('orders-1.1/orders ready')
    expect(lines.at(-1)).toMatch(/^an operator asked for a deployment: failed .*"group":"orders".*bad data/)
  })

  it('counts the connections of the processes that there are, not of those that there were', async () => {
    const { fleet, operator, needs } = setUp()
    await fleet.start()
    await operator.scale('orders', 3)
    await operator.restart('orders')
    const orders = needs.find((need) => need.service === 'orders')
    expect(orders?.processes?.()).toBe(3)
    await operator.scale('orders', 1)
    expect(orders?.processes?.()).toBe(1)
  })

  it('starts nothing more when the system stops', async () => {
    const { fleet, operator, alive } = setUp()
    await fleet.start()
    await operator.stop('carts')
    const stopped = fleet.stop()
    await expect(operator.start('carts')).rejects.toMatchObject({ message: expect.stringContaining('system stops') })
    await stopped
    expect(alive()).toEqual([])
  })

  it('stops and starts a service', async () => {
    const { fleet, operator, ids, lines } = setUp()
    await fleet.start()
    await operator.stop('carts')
    expect(lines.at(-1)).toMatch(/^an operator asked for a stop: done .*"group":"carts"/)
    expect(ids().some((id) => id.includes('carts'))).toBe(false)
    expect((await operator.status()).services.find((each) => each.service === 'carts')).toMatchObject({
      state: 'stopped',
      replicas: 0,
      processes: [],
    })
    await operator.start('carts')
    expect(ids()).toContain('carts-2.1/carts ready')
  })

  it('starts a service again that was given up', async () => {
    const { fleet, operator, clock, children, become } = setUp()
    await fleet.start()
    become({ stock: { contracts: ['stock@1'], failStart: 'stock: broken' } })
    children.find((child) => child.process === 'stock-1')?.crash('boom')
    await clock.advance(60_000)
    expect((await operator.status()).services.find((each) => each.service === 'stock')).toMatchObject({
      state: 'failed',
      reason: 'stock: broken',
    })
    become({ stock: { contracts: ['stock@1'] } })
    await operator.start('stock')
    expect((await operator.readiness()).ready).toBe(true)
  })

  it('moves a group as one, and says so', async () => {
    const { fleet, operator } = setUp(groups({ edge: ['gateway'], core: ['orders', 'carts', 'stock'] }))
    await fleet.start()
    expect(await operator.restart('carts')).toEqual({
      group: 'core',
      services: ['orders', 'carts', 'stock'],
      replicas: 1,
    })
  })

  it('does one thing at a time to a group, and knows its services', async () => {
    const { fleet, operator } = setUp()
    await fleet.start()
    const first = operator.restart('orders')
    await expect(operator.deploy('orders')).rejects.toMatchObject({ code: 'busy' })
    await first
    await expect(operator.restart('nothing')).rejects.toMatchObject({
      code: 'unknown_service',
      message: "there is no service 'nothing'; there are orders, carts, stock, gateway",
    })
  })

  it('kills a process that does not go after its drain', async () => {
    const { fleet, operator, clock, journal } = setUp(processPerService(), {
      ...behaviours,
      carts: { contracts: ['carts@1'], deaf: true },
    })
    await fleet.start()
    const stopped = operator.stop('carts')
    await clock.advance(8_000)
    await stopped
    expect(journal.slice(-2)).toEqual(['drain carts-1', 'kill carts-1'])
  })
})

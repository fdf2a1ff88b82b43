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
const minute = 60_000
const day = 86_400_000
const row = (keyId: string, minuteMs: number, requests = 1, units = requests) => ({
  keyId,
  route: 'r',
  statusClass: '2xx',
  minuteMs,
  requests,
  units,
})
const record = (instance: string, sequence: number, rows: ReturnType<typeof row>[]) =>
  ask().recordUsage({ instance, sequence, rows, lastUsed: [] })
const usageOf = (
  keyId: string,
  by: 'minute' | 'hour' | 'day' | 'month' | 'total' = 'total',
  from = '2000-01-01T00:00:00Z',
) => ask().usage({ keyId, by, groups: [], from, to: '2100-01-01T00:00:00Z' })
const totalOf = async (keyId: string) => (await usageOf(keyId))[0]?.requests ?? 0
const widths = async (keyId: string) => {
  const { db } = services.store<AccessTables>('gateway-access')
  const rows = await db.selectFrom('usage').select('width').where('key_id', '=', keyId).orderBy('at').execute()
  return rows.map(({ width }) => width)
}

describe('usage', () => {
  it('counts a batch once, however often it comes, also when it comes several times at once', async () => {
    const at = Math.floor(Date.now() / minute) * minute
    await Promise.all(Array.from({ length: 5 }, () => record('one', 1, [row('a', at, 3, 2), row('a', at)])))
    await record('one', 1, [row('a', at, 100)])
    await record('two', 1, [row('a', at + minute, 10)])
    await record('one', 2, [row('a', at, 1)])
    await record('one', 1, [row('a', at, 100)])
    expect(await usageOf('a')).toMatchObject([{ requests: 15, units: 14 }])
    expect((await usageOf('a', 'minute')).map(({ requests }) => requests)).toEqual([5, 10])
  })

  it('of many gateways at once is added up', async () => {
    const at = Math.floor(Date.now() / minute) * minute
    const keys = ['b1', 'b2', 'b3', 'b4']
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        record(
          `gateway-${n}`,
          1,
          (n % 2 === 0 ? keys : keys.toReversed()).map((key) => row(key, at)),
        ),
      ),
    )
    expect(await Promise.all(keys.map(totalOf))).toEqual([8, 8, 8, 8])
  })

  it('can be asked for in stretches of UTC, by what is told apart', async () => {
    const at = Date.UTC(2029, 11, 31, 23, 59)
    await record('three', 1, [row('c', at), row('c', at + minute), { ...row('c', at), route: 's', statusClass: '4xx' }])
    expect((await usageOf('c', 'day')).map(({ from, requests }) => [from, requests])).toEqual([
      ['2029-12-31T00:00:00.000Z', 2],
      ['2030-01-01T00:00:00.000Z', 1],
    ])
    expect((await usageOf('c', 'month')).map(({ from }) => from)).toEqual([
      '2029-12-01T00:00:00.000Z',
      '2030-01-01T00:00:00.000Z',
    ])
    const told = await ask().usage({
      keyId: 'c',
      by: 'total',
      groups: ['status'],
      from: '2029-01-01T00:00:00Z',
      to: '2031-01-01T00:00:00Z',
    })
    expect(told.map(({ statusClass, route, requests }) => [statusClass, route, requests])).toEqual([
      ['2xx', null, 2],
      ['4xx', null, 1],
    ])
    expect(await usageOf('c', 'total', '2030-01-01T00:00:00Z')).toMatchObject([{ requests: 1 }])
  })

  it('of minutes becomes hours, then days, then goes; no request is lost or doubled on the way', async () => {
    const now = Math.floor(Date.now() / minute) * minute
    await record('four', 1, [row('d', now - 3 * minute), row('d', now - 2 * minute), row('d', now)])
    const rollUp = () => services.runJob('gateway-access', 'roll-up-usage')
    await rollUp()
    expect(await widths('d')).toEqual(['minute', 'minute', 'minute'])
    services.pass(8 * day)
    await Promise.all([rollUp(), rollUp()])
    expect(new Set(await widths('d'))).toEqual(new Set(['hour']))
    expect(await totalOf('d')).toBe(3)
    await record('five', 1, [row('d', now)])
    await rollUp()
    expect(await totalOf('d')).toBe(4)
    services.pass(40 * day)
    await rollUp()
    expect(new Set(await widths('d'))).toEqual(new Set(['day']))
    expect(await totalOf('d')).toBe(4)
    services.pass(400 * day)
    await rollUp()
    expect(await totalOf('d')).toBe(0)
  })

  it('says when a key was last used, never earlier than before', async () => {
    const { key } = await ask().createKey({ name: 'x', owner: 'y' })
    const used = (sequence: number, atMs: number) =>
      ask().recordUsage({
        instance: 'six',
        sequence,
        rows: [],
        lastUsed: [
          { keyId: key.id, atMs },
          { keyId: 'nobody', atMs },
        ],
      })
    await used(1, Date.UTC(2031, 0, 1, 10, 20, 30))
    await used(2, Date.UTC(2031, 0, 1, 9))
    expect((await ask().findKey({ id: key.id })).lastUsedAt).toBe('2031-01-01T10:20:00.000Z')
  })
})

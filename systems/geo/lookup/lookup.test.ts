import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Caller } from 'trestle/service'
import { type StartedServices, startServices } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishRelease } from '../testing/release.ts'
import { batchMax, lookup } from './contract.ts'
import lookupService from './service.ts'

let folder: string
let services: StartedServices
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'geo-lookup-'))
  process.env.GEO_DATA = folder
  await publishRelease(folder, 'v1')
  services = await startServices([lookupService])
})
afterAll(async () => {
  await services?.[Symbol.asyncDispose]()
  delete process.env.GEO_DATA
  await rm(folder, { recursive: true, force: true })
})

const key = (plan?: string): Caller => ({
  kind: 'key',
  id: 'k',
  scopes: ['lookup'],
  ...(plan === undefined ? {} : { plan }),
})
const as = (plan?: string) => services.client(lookup, key(plan))

describe('an answer', () => {
  it('has every field on the premium plan, null where the data has none', async () => {
    const answer = await as('premium').find({ ip_address: '1.2.3.4' })
    expect(Object.keys(answer)).toEqual(Object.keys(lookup.operations.find.output?.shape ?? {}))
    expect(answer).toMatchObject({ city: 'city of v1', postal_code: null, data_version: 'v1' })
  })

  it.each(['free', undefined, 'made-up'])('has the country alone on the plan %s', async (plan) => {
    const answer = await as(plan).at({ ip: '1.2.3.4' })
    expect(answer).toEqual({
      ip_address: '1.2.3.4',
      country: 'France',
      country_code: 'FR',
      continent: 'Europe',
      data_version: 'v1',
    })
  })

  it('has only the fields that were asked for', async () => {
    const answer = await as('premium').find({ ip_address: '1.2.3.4', fields: 'country, asn' })
    expect(answer).toEqual({ ip_address: '1.2.3.4', country: 'France', asn: 1, data_version: 'v1' })
  })

  it('is refused for a field that there is not, and for one that the plan has not', async () => {
    expect(await as('premium').find.try({ ip_address: '1.2.3.4', fields: 'country,capital' })).toMatchObject({
      error: { code: 'field_unknown', status: 400, details: { field: 'capital' } },
    })
    expect(await as('free').at.try({ ip: '1.2.3.4', fields: 'country,city' })).toMatchObject({
      error: { code: 'field_not_in_plan', status: 403, details: { field: 'city' } },
    })
    expect(await as('free').at.try({ ip: '1.2.3.4', fields: '' })).toMatchObject({ error: { code: 'field_unknown' } })
  })

  it('is about the client when no address is given, and about the given one when there is', async () => {
    expect(await as('free').find({ client_address: '::ffff:2.0.0.1' })).toMatchObject({ ip_address: '2.0.0.1' })
    const both = { client_address: '2.0.0.1', ip_address: '1.0.0.1' }
    expect(await as('free').find(both)).toMatchObject({ ip_address: '1.0.0.1', country_code: 'FR' })
    expect(await as('free').find.try({})).toMatchObject({ error: { code: 'ip_invalid' } })
  })

  it.each([
    ['nonsense', 'ip_invalid', 400, {}],
    ['192.168.1.1', 'ip_private', 422, { network: '192.168.0.0/16', purpose: 'private use' }],
    ['::1', 'ip_reserved', 422, { network: '::1/128', purpose: 'this machine' }],
  ])('does not exist for %s: %s', async (ip, code, status, details) => {
    const expected = { error: { code, status, details: { ip_address: ip, ...details } } }
    expect(await as('free').at.try({ ip })).toMatchObject(expected)
    expect(await as('premium').find.try({ ip_address: ip })).toMatchObject(expected)
  })

  it('is given to whoever may look up, and to nobody else', async () => {
    const user = services.client(lookup, { kind: 'user', id: 'u', scopes: ['account'] })
    expect(await user.at.try({ ip: '1.1.1.1' })).toMatchObject({ error: { code: 'forbidden' } })
  })
})

describe('a batch', () => {
  it('keeps the order, and says in its place what cannot be looked up', async () => {
    const ip_addresses = ['2.0.0.1', '10.0.0.1', '1.0.0.1', 'x', '2a00::1']
    const { items, data_version } = await as('premium').batch({ ip_addresses, fields: 'country_code' })
    expect(data_version).toBe('v1')
    expect(items).toEqual([
      { ip_address: '2.0.0.1', country_code: 'NZ', data_version: 'v1' },
      { ip_address: '10.0.0.1', error: { code: 'ip_private', title: expect.any(String), network: '10.0.0.0/8' } },
      { ip_address: '1.0.0.1', country_code: 'FR', data_version: 'v1' },
      { ip_address: 'x', error: { code: 'ip_invalid', title: expect.any(String), network: null } },
      { ip_address: '2a00::1', country_code: 'FR', data_version: 'v1' },
    ])
  })

  it.each([0, batchMax + 1])('of %d addresses is refused', async (length) => {
    const ip_addresses = Array.from({ length }, () => '1.0.0.1')
    expect(await as('premium').batch.try({ ip_addresses })).toMatchObject({ error: { code: 'invalid_input' } })
  })
})

describe('look-ups while the data is swapped', () => {
  it('are each answered from one release, and all are answered', async () => {
    const ip_addresses = ['1.0.0.1', '2a00::1', '1.9.9.9', '2a00:1::1']
    const seen = new Set<string>()
    const swapping = new AbortController()
    const ask = async () => {
      while (!swapping.signal.aborted) {
        const { data_version, items } = await as('premium').batch({ ip_addresses })
        // Calls in one process need no turn of the event loop, but files that are read do.
        await setImmediate()
        seen.add(data_version)
        const number = -Number(data_version.slice(1))
        for (const item of items) {
          expect(item).toMatchObject({
            data_version,
            city: `city of ${data_version}`,
            region: `region of ${data_version}`,
            longitude: number,
            asn: -number,
            organisation: `organisation of ${data_version}`,
          })
        }
      }
    }
    const swap = async () => {
      try {
        for (let release = 2; release <= 12; release++) {
          await publishRelease(folder, `v${release}`, release % 2 === 0 ? 'csv' : 'mmdb')
          await services.runJob('lookup', 'refresh-data')
        }
      } finally {
        swapping.abort()
      }
    }
    await Promise.all([swap(), ask(), ask(), ask()])
    expect((await as('premium').batch({ ip_addresses })).data_version).toBe('v12')
    expect(seen.size).toBeGreaterThan(5)
  })

  it('go on from the release before when the new one cannot be read', async () => {
    const { data_version } = await as('free').find({ ip_address: '1.0.0.1' })
    process.env.GEO_DATA = join(folder, 'nothing')
    await expect(services.runJob('lookup', 'refresh-data')).rejects.toThrow(/ENOENT/)
    process.env.GEO_DATA = folder
    expect((await as('free').find({ ip_address: '1.0.0.1' })).data_version).toBe(data_version)
  })
})

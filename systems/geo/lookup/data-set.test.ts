import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mmdbFile } from '../testing/mmdb-file.ts'
import { publishRelease } from '../testing/release.ts'
import { type PublicAddress, readAddress } from './address.ts'
import { countries } from './countries.ts'
import { filesIn, installedFiles } from './data-files.ts'
import { type DataSet, openDataSet } from './data-set.ts'
import { liveData } from './live-data.ts'
import { locate } from './locate.ts'
import { publishData } from './publish-data.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'geo-data-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (text: string) => readAddress(text) as PublicAddress
const where = (data: DataSet, text: string) => locate(data, at(text))

describe('a release', () => {
  it('knows cities, countries and systems, of IPv4 and of IPv6', async () => {
    await publishRelease(folder, 'v7')
    const data = await openDataSet(await filesIn(folder))
    const inCity = {
      city: 'city of v7',
      region: 'region of v7',
      country: 'France',
      country_code: 'FR',
      continent: 'Europe',
    }
    const rest = { latitude: 48.8566, longitude: -7, asn: 7, organisation: 'organisation of v7', data_version: 'v7' }
    expect(where(data, '1.2.3.4')).toMatchObject({ ip_address: '1.2.3.4', ...inCity, ...rest })
    expect(where(data, '2a00::1')).toMatchObject({ ip_address: '2a00::1', ...inCity, ...rest })
    expect(where(data, '::ffff:1.2.3.4')).toEqual(where(data, '1.2.3.4'))
  })

  it('may have its systems in CSV, and says the same then', async () => {
    const asked = ['1.2.3.4', '2a00::1', '1.255.255.255', '2.0.0.0', '2b00::']
    await publishRelease(folder, 'v9')
    const mmdb = await openDataSet(await filesIn(folder))
    await publishRelease(folder, 'v9', 'csv')
    const csv = await openDataSet(await filesIn(folder))
    expect(asked.map((each) => where(csv, each))).toEqual(asked.map((each) => where(mmdb, each)))
    expect(where(csv, '1.2.3.4')).toMatchObject({ asn: 9, organisation: 'organisation of v9', city: 'city of v9' })
    const { country, asn } = (await filesIn(folder)).files
    const alone = await openDataSet({ version: 'x', files: { country, ...(asn && { asn }) } })
    expect(where(alone, '1.2.3.4')).toMatchObject({ asn: 9, city: null })
    await publishRelease(folder, 'v7')
  })

  it('says null for what it does not know', async () => {
    const data = await openDataSet(await filesIn(folder))
    expect(where(data, '2.0.0.1')).toEqual({
      ip_address: '2.0.0.1',
      city: null,
      city_geoname_id: null,
      region: null,
      region_iso_code: null,
      region_geoname_id: null,
      postal_code: null,
      country: 'New Zealand',
      country_code: 'NZ',
      continent: 'Oceania',
      latitude: null,
      longitude: null,
      timezone: null,
      asn: null,
      organisation: null,
      data_version: 'v7',
    })
    expect(where(data, '9.9.9.9')).toMatchObject({ country: null, country_code: null, continent: null })
    expect(where(data, '1.2.3.4')).toMatchObject({ postal_code: null, timezone: null, city_geoname_id: null })
  })

  it('is refused when a file is cut, when it is another than the manifest names, and when it is for the other IP', async () => {
    await publishRelease(folder, 'v8')
    const file = join(folder, 'city-v8.ipv4.mmdb')
    const whole = await readFile(file)
    await truncate(file, whole.length - 1)
    await expect(filesIn(folder).then(openDataSet)).rejects.toThrow(/city-v8.*SHA-256/)
    await rm(file)
    await expect(filesIn(folder).then(openDataSet)).rejects.toThrow(/ENOENT/)
    await writeFile(file, whole)
    const { files } = await filesIn(folder)
    const crossed = { version: 'x', files: { country: { 4: files.country[6], 6: files.country[4] } } }
    await expect(openDataSet(crossed)).rejects.toThrow(/holds IPv6 addresses, not IPv4/)
    await writeFile(file, mmdbFile(4, {}).subarray(0, 20))
    await expect(
      openDataSet({ version: 'x', files: { country: { 4: { path: file }, 6: { path: file } } } }),
    ).rejects.toThrow(/city-v8.*no database/)
  })
})

describe('live data', () => {
  it('is another release as a whole, or the one before', async () => {
    const live = liveData(() => filesIn(folder))
    expect(() => live.current()).toThrow(/no data/)
    await publishRelease(folder, 'v1')
    expect(await live.refresh()).toBe('v1')
    expect(await live.refresh()).toBeUndefined()
    const before = live.current()
    await publishRelease(folder, 'v2')
    await truncate(join(folder, 'asn-v2.ipv6.mmdb'), 10)
    await expect(live.refresh()).rejects.toThrow(/asn-v2/)
    expect(live.current()).toBe(before)
    await writeFile(join(folder, 'half.csv'), '16777216,33554431,2,x\n33554432,')
    const kinds = { country: ['country-v2.ipv4.mmdb', 'country-v2.ipv6.mmdb'] } as const
    await publishData(folder, 'v2', { ...kinds, asn: ['half.csv', 'half.csv'] })
    await expect(live.refresh()).rejects.toThrow(/half\.csv:2: the row is cut/)
    expect(live.current()).toBe(before)
    await publishRelease(folder, 'v2')
    expect(await live.refresh()).toBe('v2')
    expect(where(before, '1.1.1.1').data_version).toBe('v1')
    expect(where(live.current(), '1.1.1.1')).toMatchObject({ data_version: 'v2', city: 'city of v2', asn: 2 })
  })

  it('reads a release once, however many ask at once', async () => {
    let asked = 0
    const live = liveData(async () => {
      asked++
      return filesIn(folder)
    })
    await Promise.all([live.refresh(), live.refresh(), live.refresh()])
    expect(asked).toBe(1)
  })
})

describe('the installed databases', () => {
  let data: DataSet
  beforeAll(async () => {
    data = await openDataSet(await installedFiles())
  })

  it('are one release that knows where well-known addresses are', async () => {
    expect(data.version).toMatch(/^country-[\d.]+\+city-[\d.]+\+asn-[\d.]+$/)
    expect(where(data, '8.8.8.8')).toMatchObject({
      country_code: 'US',
      country: 'United States',
      city: 'Mountain View',
    })
    expect(where(data, '193.0.6.139')).toMatchObject({ country: 'Netherlands', region: 'North Holland' })
    expect(where(data, '2a00:1450:4001::1')).toMatchObject({ country: 'Germany', city: 'Frankfurt am Main' })
    expect(where(data, '8.8.8.8')).toMatchObject({ latitude: 37.422, longitude: -122.085, timezone: null })
  })

  it.each([
    ['1.1.1.1', 13335, 'Cloudflare, Inc.'],
    ['::ffff:1.1.1.1', 13335, 'Cloudflare, Inc.'],
    ['8.8.8.8', 15169, 'Google LLC'],
    ['9.9.9.9', 19281, 'Quad9'],
    ['81.2.69.142', 20712, 'Andrews & Arnold Ltd'],
    ['193.0.6.139', 3333, 'Reseaux IP Europeens Network Coordination Centre (RIPE NCC)'],
    ['2606:4700:4700::1111', 13335, 'Cloudflare, Inc.'],
    ['2001:4860:4860::8888', 15169, 'Google LLC'],
    ['2620:fe::fe', 19281, 'Quad9'],
    ['2001:67c:2e8:22::c100:68b', 3333, 'Reseaux IP Europeens Network Coordination Centre (RIPE NCC)'],
    // Where two rows overlap: the later one, which is the narrower.
    ['215.0.200.1', 721, 'DoD Network Information Center'],
    ['5.255.255.255', 13238, 'YANDEX LLC'],
  ])('know, in the release 2.3.2026061719, the system of %s: %d', (address, asn, organisation) => {
    expect(data.version).toContain('asn-2.3.2026061719')
    expect(where(data, address)).toMatchObject({ asn, organisation })
  })
})

describe('the list of countries', () => {
  it('names all of ISO 3166-1 and Kosovo, each once and in English', () => {
    expect(countries.size).toBe(250)
    for (const [code, { name }] of countries) expect([code, name]).not.toEqual([code, code])
    expect(countries.get('CI')).toEqual({ name: 'Côte d’Ivoire', continent: 'Africa' })
  })
})

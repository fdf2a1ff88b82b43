import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publishData } from '../lookup/publish-data.ts'
import { mmdbFile } from './mmdb-file.ts'

/**
 * Publishes a release whose every field carries its version: an answer that was made from two of them shows.
 * 1.0.0.0/8 is in a city with a system, 2.0.0.0/8 is known by its country only; IPv6 2a00::/16 and 2b00::/16 alike.
 * Systems are in the MMDB format or in CSV.
 */
export async function publishRelease(folder: string, version: string, systems: 'mmdb' | 'csv' = 'mmdb'): Promise<void> {
  const networks = { city: { 4: '1.0.0.0/8', 6: '2a00::/16' }, country: { 4: '2.0.0.0/8', 6: '2b00::/16' } } as const
  const number = Number(version.replace(/\D/g, ''))
  const city = {
    country_code: 'FR',
    city: `city of ${version}`,
    state1: `region of ${version}`,
    postcode: '',
    timezone: '',
    latitude: 48.85660171508789,
    longitude: -number,
  }
  const asn = { autonomous_system_number: number, autonomous_system_organization: `organisation of ${version}` }
  const names = (kind: string) => [`${kind}-${version}.ipv4.mmdb`, `${kind}-${version}.ipv6.mmdb`] as const
  const write = async (kind: string, records: (family: 4 | 6) => Parameters<typeof mmdbFile>[1]) => {
    await Promise.all(
      ([4, 6] as const).map((family, at) =>
        writeFile(join(folder, names(kind)[at] as string), mmdbFile(family, records(family))),
      ),
    )
  }
  await write('country', (family) => ({
    [networks.city[family]]: { country_code: 'DE' },
    [networks.country[family]]: { country_code: 'NZ' },
  }))
  await write('city', (family) => ({ [networks.city[family]]: city }))
  const published = { country: names('country'), city: names('city') }
  if (systems === 'mmdb') {
    await write('asn', (family) => ({ [networks.city[family]]: asn }))
    await publishData(folder, version, { ...published, asn: names('asn') })
    return
  }
  const csv = [`asn-${version}-ipv4.csv`, `asn-${version}-ipv6.csv`] as const
  const ranges = [[2 ** 24, 2 ** 25 - 1].join(), [0x2a00n << 112n, (0x2a01n << 112n) - 1n].join()]
  await Promise.all(
    csv.map((file, at) => writeFile(join(folder, file), `${ranges[at]},${number},organisation of ${version}\n`)),
  )
  await publishData(folder, version, { ...published, asn: csv })
}

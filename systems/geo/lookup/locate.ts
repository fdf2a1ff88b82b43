import type { PublicAddress } from './address.ts'
import { countries } from './countries.ts'
import type { DataRecord, DataSet } from './data-set.ts'
import type { FullLocation } from './fields.ts'

/**
 * All that a release knows of an address. The country is that of the city when a city is known, so that an answer does not
 * contradict itself, nor a plan another; else that of the registries.
 */
export function locate(data: DataSet, address: PublicAddress): FullLocation {
  const city = data.find('city', address)
  const system = data.find('asn', address)
  const code = textIn(city, 'country_code') ?? textIn(data.find('country', address), 'country_code')
  const country = code === null ? undefined : countries.get(code)
  return {
    ip_address: address.text,
    city: textIn(city, 'city'),
    city_geoname_id: numberIn(city, 'city_geoname_id'),
    region: textIn(city, 'state1'),
    region_iso_code: textIn(city, 'region_iso_code'),
    region_geoname_id: numberIn(city, 'region_geoname_id'),
    postal_code: textIn(city, 'postcode'),
    country: country?.name ?? null,
    country_code: code,
    continent: country?.continent ?? null,
    latitude: degrees(numberIn(city, 'latitude')),
    longitude: degrees(numberIn(city, 'longitude')),
    timezone: textIn(city, 'timezone'),
    asn: numberIn(system, 'autonomous_system_number'),
    organisation: textIn(system, 'autonomous_system_organization'),
    data_version: data.version,
  }
}

/** Databases write an empty text for what they do not know. */
function textIn(record: DataRecord | undefined, field: string): string | null {
  const value = record?.[field]
  return typeof value === 'string' && value !== '' ? value : null
}

function numberIn(record: DataRecord | undefined, field: string): number | null {
  const value = record?.[field]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Single-precision numbers have seven digits; the rest is not in the data. */
function degrees(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10_000) / 10_000
}

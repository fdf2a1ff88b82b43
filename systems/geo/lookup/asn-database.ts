import type { PublicAddress } from './address.ts'
import { addressNumber } from './address-number.ts'
import { type AsnRecord, readAsnRows } from './asn-rows.ts'
import { rangeTable } from './range-table.ts'

/** Finds the system that an address belongs to. */
type FindAsn = (address: PublicAddress) => AsnRecord | undefined

/**
 * Reads a file of autonomous systems (its form: `readAsnRows`) into memory; nothing of its bytes is kept.
 * @throws Error with file and line when a row is malformed, out of order or for the other version of IP
 */
export async function openAsnDatabase(bytes: Buffer, path: string, version: 4 | 6): Promise<FindAsn> {
  const table = rangeTable(version)
  const systemOfRow: number[] = []
  const systems = await readAsnRows(bytes, path, ({ first, last, system }) => {
    table.add(first, last)
    systemOfRow.push(system)
  })
  if (systems.length === 0) throw new Error(`${path} holds no autonomous systems`)
  return finder(table.close(), new Uint32Array(systemOfRow), systems)
}

function finder(
  rowOf: (address: number | bigint) => number,
  systemOfRow: Uint32Array,
  systems: readonly AsnRecord[],
): FindAsn {
  return (address) => systems[systemOfRow[rowOf(addressNumber(address))] ?? -1]
}

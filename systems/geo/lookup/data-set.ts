import { Reader, type Response } from 'mmdb-lib'
import type { PublicAddress } from './address.ts'
import { openAsnDatabase } from './asn-database.ts'
import { type DataFiles, type DatabaseKind, databaseKinds, type FilesByVersion, readDataFile } from './data-files.ts'

/** What a database says of an address; which fields there are is up to the database. */
export type DataRecord = Readonly<Record<string, unknown>>

/**
 * The databases of one release, read whole and never changed: an answer is made from one of these, so that no two releases
 * are mixed in it.
 */
export interface DataSet {
  readonly version: string
  /** `undefined`: there is no such database, or it does not know the address. */
  find(kind: DatabaseKind, address: PublicAddress): DataRecord | undefined
}

/** What one file knows of an address. */
type Find = (address: PublicAddress) => object | undefined
type FindByVersion = Readonly<Record<4 | 6, Find>>

/**
 * Reads all databases of a release, and takes turns with look-ups meanwhile.
 * @throws Error when a file is missing, is none, or is for the other version of IP
 */
export async function openDataSet({ version, files }: DataFiles): Promise<DataSet> {
  const databases: Partial<Record<DatabaseKind, FindByVersion>> = {}
  for (const kind of databaseKinds) {
    const pair = files[kind]
    if (pair !== undefined) databases[kind] = { 4: await open(kind, pair, 4), 6: await open(kind, pair, 6) }
  }
  return {
    version,
    find: (kind, address) => databases[kind]?.[address.version](address) as DataRecord | undefined,
  }
}

async function open(kind: DatabaseKind, pair: FilesByVersion, version: 4 | 6): Promise<Find> {
  const file = pair[version]
  const bytes = await readDataFile(file)
  const isCsv = kind === 'asn' && file.path.endsWith('.csv')
  return isCsv ? openAsnDatabase(bytes, file.path, version) : openMmdb(bytes, file.path, version)
}

function openMmdb(bytes: Buffer, path: string, version: 4 | 6): Find {
  const reader = readerOf(bytes, path)
  // A database of IPv4 answers for an IPv6 address too: with what its first 32 bits would be.
  if (reader.metadata.ipVersion !== version) {
    throw new Error(`${path} holds IPv${reader.metadata.ipVersion} addresses, not IPv${version}`)
  }
  return ({ text }) => reader.get(text) ?? undefined
}

function readerOf(bytes: Buffer, path: string): Reader<Response> {
  try {
    return new Reader<Response>(bytes)
  } catch (cause) {
    throw new Error(`${path} is no database that can be read`, { cause })
  }
}

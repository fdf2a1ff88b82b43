import { Reader, type Response } from 'mmdb-lib'
import type { PublicAddress } from './address.ts'
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

type ReaderOf = Reader<Response>
type Readers = Readonly<Record<4 | 6, ReaderOf>>

/**
 * Reads all databases of a release.
 * @throws Error when a file is missing, is none, or is for the other version of IP
 */
export async function openDataSet({ version, files }: DataFiles): Promise<DataSet> {
  const readers: Partial<Record<DatabaseKind, Readers>> = {}
  for (const kind of databaseKinds) {
    const pair = files[kind]
    if (pair !== undefined) readers[kind] = await openPair(pair)
  }
  return {
    version,
    find: (kind, { text, version: family }) => (readers[kind]?.[family].get(text) as DataRecord | null) ?? undefined,
  }
}

async function openPair(pair: FilesByVersion): Promise<Readers> {
  return { 4: await open(pair, 4), 6: await open(pair, 6) }
}

async function open(pair: FilesByVersion, version: 4 | 6): Promise<ReaderOf> {
  const { path } = pair[version]
  const reader = readerOf(await readDataFile(pair[version]), path)
  // A database of IPv4 answers for an IPv6 address too: with what its first 32 bits would be.
  if (reader.metadata.ipVersion !== version) {
    throw new Error(`${path} holds IPv${reader.metadata.ipVersion} addresses, not IPv${version}`)
  }
  return reader
}

function readerOf(bytes: Buffer, path: string): ReaderOf {
  try {
    return new Reader<Response>(bytes)
  } catch (cause) {
    throw new Error(`${path} is no database that can be read`, { cause })
  }
}

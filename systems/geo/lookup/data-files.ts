import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** What the databases of a release are about. Without `city` or `asn` their fields are null. */
export const databaseKinds = ['country', 'city', 'asn'] as const
export type DatabaseKind = (typeof databaseKinds)[number]

export interface DataFile {
  /** In the MMDB format; of `asn`, by a name that ends in `.csv`, as `readAsnRows` says. */
  readonly path: string
  /** In hex; what was copied only half, or belongs to another release, is refused. */
  readonly sha256?: string
}

/** Each kind is two files: a database holds addresses of one version. */
export interface FilesByVersion {
  readonly 4: DataFile
  readonly 6: DataFile
}

/** The files of one release. */
export interface DataFiles {
  readonly version: string
  readonly files: { readonly country: FilesByVersion } & { readonly [K in DatabaseKind]?: FilesByVersion }
}

/** The name of the file that says which files in a folder are a release. */
export const manifestName = 'geo-data.json'

const Entry = z.object({ file: z.string().regex(/^[A-Za-z0-9._-]+$/), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
const Pair = z.object({ ipv4: Entry, ipv6: Entry })
export const Manifest = z.object({
  version: z.string().min(1).max(200),
  country: Pair,
  city: Pair.optional(),
  asn: Pair.optional(),
})

/** The release that a folder holds. @throws Error when there is no manifest, or it is none */
export async function filesIn(folder: string): Promise<DataFiles> {
  const { version, country, city, asn } = Manifest.parse(JSON.parse(await readFile(join(folder, manifestName), 'utf8')))
  const pair = ({ ipv4, ipv6 }: z.output<typeof Pair>): FilesByVersion => ({
    4: { path: join(folder, ipv4.file), sha256: ipv4.sha256 },
    6: { path: join(folder, ipv6.file), sha256: ipv6.sha256 },
  })
  return {
    version,
    files: {
      country: pair(country),
      ...(city === undefined ? {} : { city: pair(city) }),
      ...(asn === undefined ? {} : { asn: pair(asn) }),
    },
  }
}

/** The release that was installed with this system, as packages of npm. */
export async function installedFiles(): Promise<DataFiles> {
  const [country, city, asn] = await Promise.all([
    installed('geo-whois-asn-country-mmdb', (family) => `geo-whois-asn-country-${family}.mmdb`),
    installed('dbip-city-mmdb', (family) => `dbip-city-${family}.mmdb`),
    installed('asn', (family) => `asn-${family}-num.csv`),
  ])
  return {
    version: `country-${country.version}+city-${city.version}+asn-${asn.version}`,
    files: { country: country.files, city: city.files, asn: asn.files },
  }
}

async function installed(
  name: string,
  nameOf: (family: 'ipv4' | 'ipv6') => string,
): Promise<{ version: string; files: FilesByVersion }> {
  const manifest = fileURLToPath(import.meta.resolve(`@ip-location-db/${name}/package.json`))
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  const file = (family: 'ipv4' | 'ipv6'): DataFile => ({ path: join(dirname(manifest), nameOf(family)) })
  return { version, files: { 4: file('ipv4'), 6: file('ipv6') } }
}

const sliceBytes = 4 * 1_048_576

/** Reads a file whole. @throws Error when it is not what the manifest names */
export async function readDataFile({ path, sha256 }: DataFile): Promise<Buffer> {
  const bytes = await readFile(path)
  if (sha256 !== undefined && (await hashOf(bytes)) !== sha256) {
    throw new Error(`${path} is not the file that ${manifestName} names: its SHA-256 differs`)
  }
  return bytes
}

/** In slices: look-ups go on meanwhile. */
export async function hashOf(bytes: Buffer): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    hash.update(bytes.subarray(at, at + sliceBytes))
    await setImmediate()
  }
  return hash.digest('hex')
}

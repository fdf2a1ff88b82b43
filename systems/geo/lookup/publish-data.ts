// `npm run publish-data -w systems/geo -- FOLDER VERSION country=FILE.ipv4,FILE.ipv6 [city=…] [asn=…]`
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DatabaseKind, hashOf, Manifest, manifestName } from './data-files.ts'

/** Two files of a kind in a folder: of IPv4 and of IPv6 addresses. */
export type FileNames = { readonly [K in DatabaseKind]?: readonly [ipv4: string, ipv6: string] }

/**
 * Makes files in a folder the release that is answered from: writes the manifest that names them, in one step, so that
 * whoever looks meanwhile sees the release before or this one. Files of the release before may be deleted afterwards, not
 * overwritten before: their hashes would differ.
 * @throws Error when a file is missing, or there is no country database
 */
export async function publishData(folder: string, version: string, names: FileNames): Promise<void> {
  const entry = async (file: string) => ({ file, sha256: await hashOf(await readFile(join(folder, file))) })
  const files = await Promise.all(
    Object.entries(names).map(async ([kind, [ipv4, ipv6]]) => {
      return [kind, { ipv4: await entry(ipv4), ipv6: await entry(ipv6) }] as const
    }),
  )
  const manifest = Manifest.parse({ version, ...Object.fromEntries(files) })
  const written = join(folder, `${manifestName}.new`)
  await writeFile(written, `${JSON.stringify(manifest, undefined, 2)}\n`)
  await rename(written, join(folder, manifestName))
}

if (import.meta.main) {
  const [folder = '', version = '', ...rest] = process.argv.slice(2)
  const names = rest.map((one) => one.split('=', 2)).map(([kind, files = '']) => [kind, files.split(',')])
  await publishData(folder, version, Object.fromEntries(names) as FileNames)
  process.stdout.write(`${folder} holds ${version}; it is answered from within ten seconds\n`)
}

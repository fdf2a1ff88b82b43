import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import type { Account } from './account.ts'
import type { Layout } from './layout.ts'
import { runProgram } from './run-program.ts'

export const adminRole = 'trestle_admin'
const majorVersion = '18'

/**
 * Makes the data directory if there is none. It is made under another name and renamed when complete, so that a
 * directory named `cluster` is always a whole one.
 * @returns whether it was made
 */
export async function initCluster(
  layout: Layout,
  account: Account | undefined,
  adminPassword: string,
): Promise<boolean> {
  if (madeBefore(layout.cluster)) return false
  // A start that was killed may have left its directory, and an initdb that still writes to it.
  for (const name of readdirSync(layout.home).filter((entry) => entry.startsWith('initdb'))) {
    rmSync(join(layout.home, name), { recursive: true, force: true, maxRetries: 5 })
  }
  const work = join(layout.home, `initdb-${process.pid}`)
  mkdirSync(work, { mode: 0o700 })
  const passwordFile = join(work, 'password')
  writeFileSync(passwordFile, adminPassword, { mode: 0o600 })
  if (account?.differs === true) for (const path of [work, passwordFile]) chownSync(path, account.uid, account.gid)
  try {
    await runProgram(layout.binaries.initdb, initdbArgs(join(work, 'cluster'), passwordFile), layout, account)
  } catch (cause) {
    throw new StoreError('embedded_failed', `The database directory could not be made: ${(cause as Error).message}`, {
      cause,
    })
  }
  renameSync(join(work, 'cluster'), layout.cluster)
  rmSync(work, { recursive: true, force: true })
  return true
}

/** @throws StoreError `embedded_failed` when another major version made it: the server could not read it */
function madeBefore(cluster: string): boolean {
  const file = join(cluster, 'PG_VERSION')
  if (!existsSync(file)) return false
  const version = readFileSync(file, 'utf8').trim()
  if (version === majorVersion) return true
  throw new StoreError(
    'embedded_failed',
    `The data in ${cluster} were made by PostgreSQL ${version}, and this is ${majorVersion}. Dump them with the version ` +
      'of Trestle that made them (trestle store dump), move the directory away, and load them',
  )
}

function initdbArgs(cluster: string, passwordFile: string): string[] {
  return [
    '-D',
    cluster,
    '-U',
    adminRole,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The built-in provider needs no locale of the operating system.
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
  ]
}

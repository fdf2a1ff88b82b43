import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, barrierTo, firstBarrier } from './account.ts'
import type { Binaries } from './binaries.ts'
import { copyBinaries, linkLibraries } from './copy-binaries.ts'
import { socketsDirFor } from './sockets-dir.ts'

/** Where everything of one embedded server lies. */
export interface Layout {
  /** Ours: owner file, passwords, log. */
  readonly home: string
  /** The server's data directory. */
  readonly cluster: string
  readonly binaries: Binaries
  /** Holds the library names that the package leaves to an install script. */
  readonly librariesDir: string
  /** `undefined`: the server listens on 127.0.0.1. */
  readonly socketsDir: string | undefined
  readonly logFile: string
  /** Where what was moved went. */
  readonly elsewhere: string | undefined
  /** Why data or programs are not where one would look for them. */
  readonly moved: readonly string[]
}

const movedRoot = '/var/lib/trestle'

/** Makes the directories of the server of a project, passable for the user that it runs as. */
export function prepareLayout(dataDir: string, found: Binaries, account: Account | undefined): Layout {
  mkdirSync(dataDir, { recursive: true })
  const project = realpathSync(dataDir)
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 12)
  const moved: string[] = []
  const home = placeHome(project, hash, account, moved)
  const binaries = placeBinaries(found, hash, account, moved)
  const librariesDir = join(home, 'lib')
  linkLibraries(binaries, librariesDir)
  return {
    home,
    cluster: join(home, 'cluster'),
    binaries,
    librariesDir,
    socketsDir: socketsDirFor(hash, account),
    logFile: join(home, 'server.log'),
    elsewhere: moved.length === 0 ? undefined : join(movedRoot, hash),
    moved,
  }
}

function placeHome(project: string, hash: string, account: Account | undefined, moved: string[]): string {
  const home = join(project, 'postgres')
  if (account?.differs !== true) {
    makeDirectory(home, 0o700)
    return home
  }
  makeDirectory(home, 0o711)
  letPass(project)
  const barrier = firstBarrier(home, account)
  if (barrier === undefined) return home
  const elsewhere = join(movedRoot, hash, 'postgres')
  for (const directory of [movedRoot, join(movedRoot, hash), elsewhere]) makeDirectory(directory, 0o711)
  moved.push(`data in ${elsewhere}, because ${account.name} may not enter ${barrier}`)
  return elsewhere
}

function placeBinaries(found: Binaries, hash: string, account: Account | undefined, moved: string[]): Binaries {
  if (account?.differs !== true) return found
  const needed = [found.initdb, found.postgres, join(found.root, 'share', 'postgresql', 'postgres.bki')]
  const barrier = needed.map((file) => barrierTo(file, account)).find((at) => at !== undefined)
  if (barrier === undefined) return found
  const root = join(movedRoot, hash, 'native')
  moved.push(`programs copied to ${root}, because ${account.name} may not read ${barrier}`)
  for (const directory of [movedRoot, join(movedRoot, hash)]) makeDirectory(directory, 0o711)
  return copyBinaries(found, root)
}

/** The project's data directory is ours. It may be passed, not listed; what is secret in it guards itself. */
function letPass(directory: string): void {
  const { uid, mode } = statSync(directory)
  if (uid === process.getuid?.() && (mode & 0o011) !== 0o011) chmodSync(directory, (mode & 0o7777) | 0o011)
}

function makeDirectory(directory: string, mode: number): void {
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, mode)
}

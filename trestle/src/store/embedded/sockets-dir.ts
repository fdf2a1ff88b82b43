import { chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from './account.ts'

// A unix socket's path has at most 107 bytes (103 on macOS), and the server appends `/.s.PGSQL.5432`.
const directoryMaxBytes = 88

/** A short directory that only the server's user may enter; `undefined` where 127.0.0.1 has to do. */
export function socketsDirFor(hash: string, account: Account | undefined): string | undefined {
  if (process.platform === 'win32') return undefined
  const uid = account?.uid ?? process.getuid?.() ?? 0
  const base = ['/tmp', tmpdir()].find((directory) => existsSync(directory)) ?? tmpdir()
  const wanted = join(base, `trestle-${hash}-${uid}`)
  if (Buffer.byteLength(wanted) > directoryMaxBytes) return undefined
  const directory = makePrivate(wanted) ? wanted : mkdtempSync(join(base, 'trestle-'))
  if (account?.differs === true) chownSync(directory, account.uid, account.gid)
  return directory

  function makePrivate(path: string): boolean {
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    // Somebody else may have been here first, with a file or a link too: it is ours only when nobody else may enter or own it.
    const stat = lstatSync(path)
    const owners = [uid, process.getuid?.() ?? uid]
    return stat.isDirectory() && owners.includes(stat.uid) && (stat.mode & 0o077) === 0
  }
}

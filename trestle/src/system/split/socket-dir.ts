import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A unix socket's path may have 107 bytes (103 on macOS); this leaves room for the file's name. */
const dirMaxBytes = 60

/** Makes a directory for sockets that only this user can enter (0700), with a path short enough. */
export function shortSocketDir(): Promise<string> {
  const base = tmpdir()
  return mkdtemp(join(Buffer.byteLength(base) + 16 <= dirMaxBytes ? base : '/tmp', 'trestle-'))
}

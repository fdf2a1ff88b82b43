import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { socketsDirFor } from './sockets-dir.ts'

const made: string[] = []
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

function directoryFor(hash: string): string {
  const directory = socketsDirFor(hash, undefined) as string
  made.push(directory)
  return directory
}

/** The place where the directory of a new hash would be, and the hash. */
function freshPlace() {
  const hash = randomBytes(6).toString('hex')
  const path = directoryFor(hash)
  rmSync(path, { recursive: true })
  return { hash, path }
}

describe.skipIf(process.platform === 'win32')('the directory of the sockets', () => {
  it('is the same each time, and for its owner only', () => {
    const { hash, path } = freshPlace()
    expect([directoryFor(hash), directoryFor(hash)]).toEqual([path, path])
    expect(lstatSync(path).mode & 0o777).toBe(0o700)
    expect(basename(path)).toContain(hash)
  })

  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, '')],
    ['a link to nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
    ['a link to a private directory', (path) => symlinkSync(directoryFor(randomBytes(6).toString('hex')), path)],
    [
      'a directory that others may enter',
      (path) => {
        mkdirSync(path)
        chmodSync(path, 0o711)
      },
    ],
  ])('is another one when somebody has put %s in its place', (_what, put) => {
    const { hash, path } = freshPlace()
    put(path)
    const directory = directoryFor(hash)
    expect(directory).not.toBe(path)
    expect(dirname(directory)).toBe(dirname(path))
    expect(lstatSync(directory).mode & 0o777).toBe(0o700)
  })
})

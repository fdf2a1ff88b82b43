import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTestDir } from '../fixtures/store-fixture.ts'
import { type Account, barrierTo, firstBarrier, parsePasswd } from './account.ts'

let dir: ReturnType<typeof makeTestDir>
beforeEach(() => {
  dir = makeTestDir()
  chmodSync(dir.path, 0o755)
})
afterEach(() => dir.remove())

const stranger: Account = { name: 'stranger', uid: 54_321, gid: 54_321, differs: true }

describe('what a user may pass', () => {
  it('ends at the first closed directory', () => {
    const inner = join(dir.path, 'closed', 'inner')
    mkdirSync(inner, { recursive: true })
    expect(firstBarrier(inner, stranger)).toBeUndefined()
    chmodSync(join(dir.path, 'closed'), 0o700)
    expect(firstBarrier(inner, stranger)).toBe(join(dir.path, 'closed'))
  })

  it('ends at a file that is not readable', () => {
    const file = join(dir.path, 'file')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    expect(barrierTo(file, stranger)).toBeUndefined()
    chmodSync(file, 0o600)
    expect(barrierTo(file, stranger)).toBe(file)
  })
})

describe('parsePasswd', () => {
  it('reads names and numbers', () => {
    expect(parsePasswd('root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n\n')).toEqual([
      { name: 'root', uid: 0, gid: 0 },
      { name: 'nobody', uid: 65534, gid: 65534 },
    ])
  })
})

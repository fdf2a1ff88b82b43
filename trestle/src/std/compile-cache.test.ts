import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownFolder } from './compile-cache.ts'

describe('the folder of compiled code', () => {
  let temporary = ''
  const user = process.getuid?.() ?? 0
  const expected = () => join(temporary, `trestle-compiled-${user}`)
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'compiled-'))
  })
  afterEach(() => rmSync(temporary, { recursive: true, force: true }))

  it('is made for this user alone, and found again', () => {
    expect(ownFolder(temporary)).toBe(expected())
    expect(statSync(expected()).mode & 0o777).toBe(0o700)
    expect(ownFolder(temporary)).toBe(expected())
  })

  it('is not one that others may write to', () => {
    mkdirSync(expected())
    chmodSync(expected(), 0o777)
    expect(ownFolder(temporary)).toBeUndefined()
  })

  it('is not one that belongs to somebody else', () => {
    mkdirSync(join(temporary, `trestle-compiled-${user + 1}`))
    expect(ownFolder(temporary, user + 1)).toBeUndefined()
  })

  it('is not what a link leads to, nor a file', () => {
    symlinkSync(temporary, expected())
    expect(ownFolder(temporary)).toBeUndefined()
    rmSync(expected())
    writeFileSync(expected(), '')
    expect(ownFolder(temporary)).toBeUndefined()
  })

  it('is missed in silence where nothing can be written', () => {
    writeFileSync(join(temporary, 'file'), '')
    expect(ownFolder(join(temporary, 'file'))).toBeUndefined()
  })
})

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeDataDir } from './data-dir.ts'

describe('a data directory', () => {
  const base = mkdtempSync(join(tmpdir(), 'trestle-data-dir-'))
  afterAll(() => rmSync(base, { recursive: true }))

  it('is made with all that leads to it, and stays when it is there', () => {
    const dataDir = join(base, 'one', 'two')
    makeDataDir(dataDir)
    makeDataDir(dataDir)
    expect(statSync(dataDir).isDirectory()).toBe(true)
  })

  it.each([
    ['a file', 'file', /is a file; .*TRESTLE_DATA_DIR/],
    ['below a file', join('file', 'data'), /ENOTDIR|is a file/],
  ])('is refused when it is %s', (_, path, why) => {
    writeFileSync(join(base, 'file'), '')
    expect(() => makeDataDir(join(base, path))).toThrow(why)
  })

  it.skipIf(process.platform !== 'linux')('is refused where nothing can be made', () => {
    expect(() => makeDataDir('/proc/nowhere/data')).toThrow(
      expect.objectContaining({ code: 'data_dir_unusable', message: expect.stringContaining('TRESTLE_DATA_DIR') }),
    )
  })
})

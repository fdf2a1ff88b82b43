import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchFiles } from './watch-files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trestle-watch-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('watchFiles', () => {
  it('sees a file that is written, one that takes its place, and a mount that is switched as a whole', async () => {
    mkdirSync(join(folder, 'secrets'))
    for (const [at, text] of ['a', 'b'].entries()) {
      mkdirSync(join(folder, 'secrets', `..${at}`))
      writeFileSync(join(folder, 'secrets', `..${at}`, 'token'), text)
    }
    symlinkSync('..0', join(folder, 'secrets/..data'))
    symlinkSync('..data/token', join(folder, 'secrets/token'))
    const file = join(folder, 'gateway.yaml')
    writeFileSync(file, '1')
    const token = join(folder, 'secrets/token')
    const failures: string[] = []
    let seen = ''
    const changed = async () => {
      seen = readFileSync(file, 'utf8') + readFileSync(token, 'utf8')
    }
    using watching = watchFiles(() => [file, token], { changed, failed: (why) => failures.push(why) })
    expect(watching).toBeDefined()
    writeFileSync(file, '2')
    await expect.poll(() => seen, { timeout: 10_000 }).toBe('2a')
    writeFileSync(`${file}.new`, '3')
    renameSync(`${file}.new`, file)
    await expect.poll(() => seen, { timeout: 10_000 }).toBe('3a')
    symlinkSync('..1', join(folder, 'secrets/..next'))
    renameSync(join(folder, 'secrets/..next'), join(folder, 'secrets/..data'))
    await expect.poll(() => seen, { timeout: 10_000 }).toBe('3b')
    expect(failures).toEqual([])
  })

  it('follows the files to other folders, and says which folder cannot be watched', async () => {
    const there = join(folder, 'there')
    mkdirSync(there)
    const files = [join(folder, 'gateway.yaml')]
    const failures: string[] = []
    let changes = 0
    const changed = async () => void (changes += 1)
    using watching = watchFiles(() => files, { changed, failed: (why) => failures.push(why) })
    expect(watching).toBeDefined()
    files.push(join(there, 'secret'), join(folder, 'nowhere', 'secret'))
    writeFileSync(files[0] as string, '1')
    await expect.poll(() => failures, { timeout: 10_000 }).toContainEqual(expect.stringContaining('nowhere'))
    const before = changes
    writeFileSync(join(there, 'secret'), 'x')
    await expect.poll(() => changes, { timeout: 10_000 }).toBeGreaterThan(before)
  })
})

import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { watchFolder } from './watch-folder.ts'

describe('watchFolder', () => {
  it('goes on seeing a file that an editor saves by putting a new one in its place', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trestle-watch-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await mkdir(join(folder, 'polls'))
    const file = join(folder, 'polls', 'service.ts')
    await writeFile(file, '1')
    let changes = 0
    const watcher = watchFolder(folder, async (files) => {
      expect(files).toEqual([join('polls', 'service.ts')])
      changes++
      await Promise.resolve()
    })
    onTestFinished(() => watcher[Symbol.dispose]())
    const save = async () => {
      await writeFile(`${file}.new`, '2')
      await rename(`${file}.new`, file)
    }
    const ways = [save, () => appendFile(file, '3'), save, () => appendFile(file, '4')]
    for (const [before, way] of ways.entries()) {
      await way()
      await vi.waitFor(() => expect(changes).toBe(before + 1), { timeout: 5_000 })
    }
  })
})

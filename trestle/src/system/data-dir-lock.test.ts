import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { local } from '../testing/index.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

it('of all who start a system on one data directory at once one runs, and the next is told where', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-data-'))
  try {
    const starts = await Promise.allSettled([1, 2, 3].map(() => local.start(tiny, { dataDir })))
    const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    const refused = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []))
    expect(running).toHaveLength(1)
    for (const reason of refused) expect(reason).toMatchObject({ code: 'already_running' })
    const url = String(running[0]?.url)
    await expect(local.start(tiny, { dataDir })).rejects.toThrow(`gateway ${url}`)
    await running[0]?.stop()
    await (await local.start(tiny, { dataDir })).stop()
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})

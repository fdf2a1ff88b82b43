import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { guideFiles } from '../../trestle/scripts/guide-files.ts'
import { loadConfig } from '../../trestle/src/gateway/config/load-config.ts'

const page = await readFile(new URL('gateway.md', import.meta.url), 'utf8')

describe('the guide of the standalone gateway', () => {
  it('shows a file that can be used, and the message of a mistake as it is said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trestle-guide-'))
    try {
      const shown = guideFiles(page).find(({ path }) => path === 'gateway.yaml')?.text ?? ''
      const file = join(folder, 'gateway.yaml')
      await writeFile(join(folder, 'orders-token'), 'a-secret')
      await writeFile(file, shown)
      const { spec, listen } = loadConfig(file, { env: {} })
      expect(spec.routes).toHaveLength(3)
      expect(listen.port).toBe(8080)
      await writeFile(file, shown.replace('access: [orders:read]', 'acess: [orders:read]'))
      const said = /`(gateway\.yaml:\d+:5: acess is not known.*)`/.exec(page)?.[1] ?? 'nothing'
      expect(() => loadConfig(file, { env: {} })).toThrow(said)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

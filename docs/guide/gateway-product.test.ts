import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewaySpec } from '../../trestle/src/gateway/gateway.ts'
import { guideFiles } from '../../trestle/scripts/guide-files.ts'
import { serveEdge } from './serve-edge.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readFile(new URL('gateway.md', import.meta.url), 'utf8')

describe('the guide "A product with keys and plans"', () => {
  let folder = ''
  beforeAll(async () => {
    await mkdir(join(root, '.trestle'), { recursive: true })
    folder = await mkdtemp(join(root, '.trestle', 'guide-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('shows a gateway that lets nobody look up without a key, and documents the rest', async () => {
    const files = guideFiles(page).filter(({ path }) => path.startsWith('product/'))
    expect(files.map(({ path }) => path)).toEqual(['product/lookup.ts', 'product/edge.ts'])
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const { edge } = (await import(pathToFileURL(join(folder, 'product/edge.ts')).href)) as { edge: GatewaySpec }
    await using opened = new AsyncDisposableStack()
    const running = await serveEdge(edge)
    opened.defer(() => running.close())
    const ask = (path: string) => fetch(`${running.url}${path}`)
    expect((await ask('/v1/?ip_address=8.8.8.8')).status).toBe(401)
    expect((await ask('/v1/?api_key=trs_live_nonsense')).status).toBe(401)
    const document = JSON.stringify(running.openapi())
    expect(document).toContain('"/v1/"')
    expect(document).not.toContain('client_address')
  })
})

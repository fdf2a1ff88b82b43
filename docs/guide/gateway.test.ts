import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewaySpec } from '../../trestle/src/gateway/gateway.ts'
import { serve } from '../../trestle/src/http/serve.ts'
import { guideFiles } from '../../trestle/scripts/guide-files.ts'
import { serveEdge } from './serve-edge.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readFile(new URL('gateway.md', import.meta.url), 'utf8')

describe('the guide "The gateway"', () => {
  let folder = ''
  const open: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    await mkdir(join(root, '.trestle'), { recursive: true })
    folder = await mkdtemp(join(root, '.trestle', 'guide-'))
  })
  afterAll(async () => {
    for (const one of open.toReversed()) await one.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('shows the aggregate of the store as it is', async () => {
    const shown = guideFiles(page).find(({ path }) => path === 'systems/store/home.ts')
    expect(shown?.text).toBe(await readFile(join(root, 'systems/store/home.ts'), 'utf8'))
  })

  it('begins with a gateway that fronts a server as it says', async () => {
    const legacy = await serve({
      host: '127.0.0.1',
      port: 0,
      handler: ({ target }) => ({ status: 200, headers: [], body: `legacy has ${target}` }),
    })
    open.push(legacy)
    const [first] = guideFiles(page)
    expect(first?.path).toBe('edge.ts')
    const file = join(folder, 'edge.ts')
    await writeFile(file, (first?.text ?? '').replace('127.0.0.1:9001', `127.0.0.1:${legacy.port}`))
    const { edge } = (await import(pathToFileURL(file).href)) as { edge: GatewaySpec }
    const running = await serveEdge(edge)
    open.push(running)
    const ask = (path: string) => fetch(`${running.url}${path}`)
    const reply = await ask('/legacy/orders/1?x=2')
    expect(await reply.text()).toBe('legacy has /orders/1?x=2')
    expect(reply.headers.get('ratelimit')).toMatch(/r=99/)
    expect((await ask('/elsewhere')).status).toBe(404)
  })
})

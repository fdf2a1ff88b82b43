import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway } from '../../trestle/src/gateway/create-gateway.ts'
import type { GatewaySpec } from '../../trestle/src/gateway/gateway.ts'
import { serve } from '../../trestle/src/http/serve.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'
import { createMetrics } from '../../trestle/src/telemetry/metrics.ts'
import { guideFiles } from '../../trestle/scripts/guide-files.ts'

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
    const gateway = await createGateway(edge, {
      send: () => Promise.reject(new Error('there are no services')),
      clock: systemClock,
      log: { info() {}, warn() {}, error() {} },
      metrics: createMetrics(),
      readiness: () => ({ ready: true, services: [] }),
      info: { title: 'Guide', version: '1.0.0' },
    })
    opened.defer(() => gateway.close())
    const server = await serve({ host: '127.0.0.1', port: 0, handler: gateway.handler, onRefusal: gateway.onRefusal })
    opened.defer(() => server.close())
    const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`)
    expect((await ask('/v1/?ip_address=8.8.8.8')).status).toBe(401)
    expect((await ask('/v1/?api_key=trs_live_nonsense')).status).toBe(401)
    const document = JSON.stringify(gateway.openapi())
    expect(document).toContain('"/v1/"')
    expect(document).not.toContain('client_address')
  })
})

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

describe('the guide "The gateway" on policies', () => {
  let folder = ''
  const closers: (() => Promise<void>)[] = []

  beforeAll(async () => {
    await mkdir(join(root, '.trestle'), { recursive: true })
    folder = await mkdtemp(join(root, '.trestle', 'guide-'))
  })
  afterAll(async () => {
    for (const close of closers.toReversed()) await close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Runs the gateway that a file of the guide describes, in front of one server. */
  async function run(path: string) {
    const behind = await serve({
      host: '127.0.0.1',
      port: 0,
      handler: () => ({ status: 200, headers: [['Cache-Control', 'max-age=60']], body: 'good' }),
    })
    closers.push(() => behind.close())
    const text = guideFiles(page).find((file) => file.path === path)?.text ?? ''
    expect(text).toContain('export const edge')
    const file = join(folder, path)
    await writeFile(file, text.replaceAll(/127\.0\.0\.1:900\d/g, `127.0.0.1:${behind.port}`))
    const { edge } = (await import(pathToFileURL(file).href)) as { edge: GatewaySpec }
    const running = await serveEdge(edge)
    closers.push(() => running.close())
    return (target: string, init?: RequestInit) => fetch(`${running.url}${target}`, init)
  }

  it('limits.ts says its limits as the page shows them', async () => {
    const ask = await run('limits.ts')
    const { headers } = await ask('/search/x')
    expect(headers.get('ratelimit-policy')).toContain('"floods";q=50;w=1')
    for (const name of ['RateLimit-Policy', 'RateLimit']) {
      const shown = new RegExp(`^${name}: (.+)$`, 'm').exec(page)?.[1]
      expect(headers.get(name)).toContain(shown)
    }
  })

  it('errors.ts fails as the page shows, and passes on what is behind it', async () => {
    const ask = await run('errors.ts')
    expect((await ask('/api/x')).status).toBe(200)
    const missing = await ask('/nowhere')
    const body = (await missing.json()) as { traceId: string; error: { reference: string } }
    const shown = JSON.parse(/^\{"title":"No such resource".*$/m.exec(page)?.[0] ?? '{}') as { error?: object }
    expect(shown.error).toBeDefined()
    expect(body).toMatchObject({ ...shown, error: { ...shown.error, reference: body.traceId } })
  })

  it('cors.ts lets in whom it says', async () => {
    const ask = await run('cors.ts')
    const allowed = async (target: string, origin: string) =>
      (await ask(target, { headers: { origin } })).headers.get('access-control-allow-origin')
    expect(await allowed('/api/x', 'https://pr-7.preview.example.com')).toBe('https://pr-7.preview.example.com')
    expect(await allowed('/api/x', 'https://elsewhere.example')).toBeNull()
    expect(await allowed('/fonts/x', 'https://elsewhere.example')).toBe('*')
  })

  it('cache.ts keeps replies, and passes by for fields that it was not told of', async () => {
    const ask = await run('cache.ts')
    const how = async (headers: Record<string, string> = {}) =>
      (await ask('/catalogue/x', { headers })).headers.get('cache-status')
    expect(await how()).toBe('trestle; fwd=miss')
    expect(await how()).toMatch(/^trestle; hit; ttl=\d+$/)
    expect(await how({ 'x-tenant': 'a' })).toBe('trestle; fwd=miss')
    expect(await how({ 'x-flavour': 'sweet' })).toBe('trestle; fwd=bypass; detail="x-flavour"')
  })
})

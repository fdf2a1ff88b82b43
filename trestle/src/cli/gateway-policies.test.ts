import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAdmin } from '../admin/index.ts'
import { developmentIssuer, type DevelopmentIssuer } from '../gateway/development-issuer/development-issuer.ts'
import { json, scriptedIssuer, type ScriptedIssuer } from '../gateway/oidc/issuer-fixture.ts'
import { scriptedBrowser } from '../gateway/oidc/scripted-browser.ts'
import { type RunningSystem, startSystem } from '../system/index.ts'
import { testStores, type TestStores } from '../testing/postgres/shared-postgres.ts'
import { recordedIo } from './fixtures/recorded-io.ts'
import { loadGatewaySystem } from './gateway-system.ts'
import { runCli } from './run-cli.ts'

const folder = fileURLToPath(new URL('./fixtures/policies/', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'trestle-policies-'))
const app = 'https://app.test'
const secret = 'not-a-real-secret'

interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

const servers: Server[] = []
const mirrored: string[] = []
let canaryAsked = 0

/** Says what it was asked; `/slow` never does. */
async function server(asked: (request: IncomingMessage) => void = () => {}): Promise<string> {
  const made = createServer((request, response) => {
    asked(request)
    if (request.url === '/slow') return
    request.resume().on('end', () => {
      response.setHeader('Content-Type', 'application/json').setHeader('X-Powered-By', 'tests')
      const { method, url, headers } = request
      response.end(JSON.stringify({ method, url, headers, filler: 'x'.repeat(500) }))
    })
  })
  servers.push(made)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}

const echoOf = async (reply: Response) => (await reply.json()) as Echo

const trestle = async (...args: readonly string[]) => {
  const io = recordedIo({ cwd: folder, env: { TRESTLE_DATA_DIR: dataDir } })
  const status = await runCli(args, io)
  return { status, ...io.said }
}
const usage = async () => (await trestle('usage', '--owner', 'ada', '--by', 'total', '--group', 'status')).out
const keyOn = async (plan: string) =>
  (await trestle('keys', 'create', 'a key', '--owner', 'ada', '--plan', plan)).out.trim()

describe('a running gateway of a file that says every policy', () => {
  let issuer: DevelopmentIssuer
  let opaque: ScriptedIssuer
  let stores: TestStores
  let running: RunningSystem

  beforeAll(async () => {
    issuer = await developmentIssuer({
      clients: [
        { id: 'web', secret, redirectUris: [`${app}/auth/callback`] },
        { id: 'edge', secret },
      ],
      users: [{ id: 'alice' }],
      scopes: ['ledger:read', 'ledger:write'],
    })
    opaque = await scriptedIssuer((asked) => json({ active: asked.get('token') === 'opaque-1', sub: 'bob' }))
    stores = await testStores()
    const env = {
      ISSUER: issuer.url,
      OPAQUE_ISSUER: opaque.url,
      SECRET: secret,
      ECHO_URL: await server(),
      CANARY_URL: await server(() => (canaryAsked += 1)),
      MIRROR_URL: await server(({ method, url }) => mirrored.push(`${method} ${url}`)),
    }
    const { system } = loadGatewaySystem(join(folder, 'gateway.yaml'), env, folder)
    running = await startSystem({
      system,
      dataDir,
      stores,
      gatewayPort: 0,
      adminPort: 0,
      admin: startAdmin,
      logLevel: 'silent',
    })
  }, 60_000)
  afterAll(async () => {
    await running.stop()
    await stores.close()
    await opaque[Symbol.asyncDispose]()
    await issuer.close()
    for (const each of servers) {
      each.closeAllConnections()
      each.close()
    }
    rmSync(dataDir, { recursive: true, force: true })
  })

  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`${running.gatewayUrl}${path}`, { headers, redirect: 'manual', ...init })
  const statusOf = async (path: string, headers?: Record<string, string>, init?: RequestInit) =>
    (await ask(path, headers, init)).status
  /** Where a browser is sent; `fetch` would say that it is none. */
  const leadsTo = (path: string) =>
    new Promise<string | undefined>((resolve, reject) => {
      const asked = get(`${running.gatewayUrl}${path}`, { headers: { Accept: 'text/html' } }, (response) =>
        resolve(response.resume().headers.location),
      )
      asked.on('error', reject)
    })
  const codingOf = async (accepted: string) =>
    (await ask('/canary', { 'Accept-Encoding': accepted })).headers.get('content-encoding')
  const bearer = async (scope: string) => {
    const reply = await fetch(`${issuer.url}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`edge:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    })
    const { access_token: token } = (await reply.json()) as { access_token: string }
    return { Authorization: `Bearer ${token}` }
  }

  it('shows what holds on each route, limits by their names', async () => {
    const { out } = await trestle('routes')
    expect(out).toMatch(/^all +\/limited +all +upstream +anyone +floods, .*few/m)
    expect(out).toMatch(/^all +\/metered +all +upstream metered +signed in +floods, .*plans, plan-limits, quotas?/m)
    const { out: upstreams } = await trestle('upstreams')
    expect(upstreams.match(/^echo /gm)).toHaveLength(1)
  })

  it('CORS: pages of one origin, asked before and in the reply', async () => {
    const page = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'PUT' }
    const before = await ask('/small', page, { method: 'OPTIONS' })
    expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, page.Origin])
    const reply = await ask('/limited', { Origin: 'https://evil.example' })
    expect(reply.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('API keys, plans, quotas and metering', async () => {
    const key = await keyOn('free')
    expect(await statusOf('/metered')).toBe(401)
    expect(await statusOf('/metered', { 'X-Api-Key': await keyOn('other') })).toBe(403)
    const reply = await ask(`/metered?api_key=${key}&a=b`)
    expect([reply.status, (await echoOf(reply)).url]).toEqual([200, '/metered?a=b'])
    expect(await statusOf('/metered', { 'X-Api-Key': key })).toBe(200)
    const over = await ask('/metered', { 'X-Api-Key': key })
    expect([over.status, await over.json()]).toMatchObject([402, { code: 'quota_exceeded' }])
    await expect.poll(usage, { timeout: 10_000 }).toMatch(/2xx +2 +2$/m)
  })

  it('JWT of an issuer, and scopes', async () => {
    const reply = await ask('/scoped', await bearer('ledger:read'))
    expect(reply.status).toBe(200)
    const { headers } = await echoOf(reply)
    expect(headers).toMatchObject({ 'trestle-caller-scopes': expect.stringContaining('ledger') })
    expect(headers).not.toHaveProperty('authorization')
    expect(await statusOf('/scoped', await bearer('ledger:write'))).toBe(403)
    expect(await statusOf('/scoped', { Authorization: 'Bearer a.b.c' })).toBe(401)
  })

  it('opaque tokens, about which the issuer is asked', async () => {
    const reply = await ask('/signed-in', { Authorization: 'Bearer opaque-1' })
    expect([reply.status, (await echoOf(reply)).headers['trestle-caller-id']]).toEqual([200, 'bob'])
    expect(await statusOf('/signed-in', { Authorization: 'Bearer opaque-2' })).toBe(401)
  })

  it('log-in with OpenID Connect', async () => {
    const browser = scriptedBrowser({ [app]: running.gatewayUrl })
    const page = await browser.follow(`${app}${await leadsTo('/signed-in')}`)
    const { url, response } = await browser.follow(page.url, {
      method: 'POST',
      body: new URLSearchParams({ user: 'alice' }),
    })
    expect([url, response.status]).toEqual([`${app}/signed-in`, 200])
    const { headers } = await echoOf(response)
    expect(headers).toMatchObject({ 'trestle-caller-id': 'alice' })
    expect(headers['cookie'] ?? '').not.toContain('session')
  })

  it("client credentials: the upstream is shown the gateway's own token", async () => {
    const { headers } = await echoOf(await ask('/ledger'))
    expect(headers['authorization']).toMatch(/^Bearer ey/)
  })

  it('rate limits, counted in the database, said in the reply', async () => {
    const from = { 'X-Forwarded-For': '198.51.100.7' }
    const first = await ask('/limited', from)
    expect(first.headers.get('ratelimit-policy')).toContain('"few"')
    expect([await statusOf('/limited', from), await statusOf('/limited', from)]).toEqual([200, 429])
    expect(await statusOf('/limited', { 'X-Forwarded-For': '198.51.100.8' })).toBe(200)
  })

  it("requests are held to the upstream's OpenAPI document, which is part of the gateway's own", async () => {
    expect(await statusOf('/pets/list?limit=3')).toBe(200)
    const wrong = await ask('/pets/list?limit=0')
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { errors: [{}] }])
    expect(await statusOf('/pets/other')).toBe(404)
    const document = (await (await ask('/openapi.json')).json()) as { paths: object }
    expect(Object.keys(document.paths)).toContain('/pets/list')
  })

  it('limits of size and time', async () => {
    const init = { method: 'POST', body: 'x'.repeat(11) }
    expect(await statusOf('/small', {}, init)).toBe(413)
    expect(await statusOf('/small', {}, { ...init, body: 'x' })).toBe(200)
    expect(await statusOf('/slow')).toBe(504)
  })

  it('paths and header fields that change on the way', async () => {
    expect((await echoOf(await ask('/v1/items/a%20b'))).url).toBe('/v2/a%20b')
    const reply = await ask('/api/x?y=z', { 'X-Debug': '1', 'X-Edge': 'no' })
    expect([reply.headers.get('x-powered-by'), reply.headers.get('x-frame-options')]).toEqual([null, 'DENY'])
    const { url, headers } = await echoOf(reply)
    expect([url, headers['x-edge'], headers['x-debug']]).toEqual(['/internal/x?y=z', 'yes', undefined])
  })

  it('compression for clients that take it', async () => {
    expect([await codingOf('br, gzip'), await codingOf('gzip'), await codingOf('identity')]).toEqual([
      'br',
      'gzip',
      null,
    ])
  })

  it('redirects', async () => {
    const reply = await ask('/old/x?y=z')
    expect([reply.status, reply.headers.get('location')]).toEqual([301, '/api/x?y=z'])
  })

  it('mirrors', async () => {
    expect(await statusOf('/mirrored', {}, { method: 'POST', body: 'copied' })).toBe(200)
    await expect.poll(() => mirrored).toEqual(['POST /mirrored'])
  })

  it('weighted targets: a canary gets its share', async () => {
    canaryAsked = 0
    for (let n = 0; n < 200; n += 1) expect(await statusOf('/canary')).toBe(200)
    expect(canaryAsked).toBeGreaterThan(16)
    expect(canaryAsked).toBeLessThan(70)
  })

  it('aggregates of upstreams, each with its own policies', async () => {
    const reply = await ask('/both/7?limit=3&other=4')
    expect([reply.status, reply.headers.get('trestle-partial')]).toEqual([200, 'late'])
    expect(await reply.json()).toMatchObject({
      own: { url: '/own/7?limit=3', headers: { authorization: expect.stringMatching(/^Bearer ey/) } },
      late: null,
      partial: [{ part: 'late', problem: { code: 'deadline_exceeded' } }],
    })
  })

  it('a cache', async () => {
    await (await ask('/cached')).text()
    expect((await ask('/cached')).headers.get('cache-status')).toMatch(/hit/)
  })
})

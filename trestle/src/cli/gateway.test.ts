import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSpawned, type Spawned, spawnCli } from './fixtures/spawned-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'trestle-gateway-'))
const servers: Server[] = []
const env: Record<string, string> = { TRESTLE_GATEWAY_PORT: '', TRESTLE_ADMIN_PORT: '', TRESTLE_DATA_DIR: '' }
let gateway: Spawned
let url = ''

async function server(answer: RequestListener): Promise<string> {
  const made = createServer(answer)
  servers.push(made)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}

let releaseSlow: () => void = () => {}
const slowAsked = Promise.withResolvers<void>()

/** The example, as it stands in the documentation, in front of two small servers. */
beforeAll(async () => {
  cpSync(new URL('../../../docs/examples/', import.meta.url), folder, { recursive: true })
  env['CATALOGUE_URL'] = await server((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ url: request.url, filler: 'x'.repeat(2_000) }))
  })
  env['ORDERS_URL'] = await server((request, response) => {
    const answer = () => response.end(`${request.method} ${request.url} ${String(request.headers['x-internal-token'])}`)
    if (request.url === '/orders/slow') {
      releaseSlow = answer
      slowAsked.resolve()
    } else answer()
  })
  env['EDGE_PORT'] = '0'
  env['EDGE_ADMIN_PORT'] = '0'
  gateway = spawnCli(['gateway'], folder, env)
  url = (await gateway.waitFor(/^Gateway +(http:\S+)$/m))[1] as string
}, 60_000)

afterAll(async () => {
  gateway.child.kill('SIGKILL')
  await gateway.ended
  for (const each of servers) {
    each.closeAllConnections()
    each.close()
  }
  rmSync(folder, { recursive: true, force: true })
})

const config = () => join(folder, 'gateway.yaml')
const example = readFileSync(new URL('../../../docs/examples/gateway.yaml', import.meta.url), 'utf8')

describe('trestle gateway, with the example of the documentation', () => {
  it('says what it shows, in front of whom, and where', () => {
    const { out } = gateway.said
    expect(out).toMatch(/^edge runs alone, started in \d/m)
    expect(out).toMatch(/^GET +\/catalogue\/\* +all +upstream +anyone +floods, compress, cors, cache$/m)
    expect(out).toMatch(/^all +\/api\/orders\/\* +all +upstream orders +anyone +/m)
    expect(out).toContain(env['CATALOGUE_URL'])
    expect(out).toMatch(/^Admin +http:\S+ {2}for trestle routes, upstreams$/m)
    expect(out).toContain(`Try        curl -i '${url}/catalogue/'\n`)
    expect(out).not.toContain('not-a-real-secret')
    expect(gateway.said.err).not.toContain('not-a-real-secret')
  })

  it('does what the example says: upstreams, limits, caches, origins, compression, redirects', async () => {
    const from = { headers: { Origin: 'https://shop.example.com', 'Accept-Encoding': 'gzip' } }
    const first = await fetch(`${url}/catalogue/items?limit=3`, from)
    expect(await first.json()).toMatchObject({ url: '/catalogue/items?limit=3' })
    expect(first.headers.get('access-control-allow-origin')).toBe('https://shop.example.com')
    expect(first.headers.get('content-encoding')).toBe('gzip')
    const again = await fetch(`${url}/catalogue/items?limit=3`, from)
    expect(again.headers.get('cache-status')).toMatch(/hit/)
    const spoofed = await fetch(`${url}/api/orders/7`, { headers: { 'X-Internal-Token': 'mine' } })
    expect(await spoofed.text()).toBe('GET /orders/7 not-a-real-secret')
    const moved = await fetch(`${url}/shop/items?a=b`, { redirect: 'manual' })
    expect([moved.status, moved.headers.get('location')]).toEqual([301, '/catalogue/items?a=b'])
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await fetch(`${url}/api/orders/1`)).status),
    )
    expect(statuses).toContain(429)
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  it('is looked at by other commands, which find it by its file', async () => {
    const routes = await runSpawned(['routes', '--json'], folder, env)
    expect(JSON.parse(routes.out)).toMatchObject([
      { path: '/catalogue/*', method: 'GET', access: 'anyone', gateways: ['edge'] },
      { path: '/api/orders/*', name: 'orders' },
      { path: '/shop/*', kind: 'redirect' },
    ])
    const upstreams = await runSpawned(['upstreams', '--system', 'gateway.yaml'], folder, env)
    expect(upstreams.out).toMatch(/^catalogue +http:\S+ +healthy +1 +0 +[\d.]+ ms +\d+ +0 +-$/m)
    const shown = JSON.parse((await runSpawned(['upstreams', '--json'], folder, env)).out)
    expect(shown).toMatchObject([
      { gateway: 'edge', upstreams: [{ kind: 'upstream', breaker: 'closed' }, { name: 'orders' }] },
    ])
    const second = await runSpawned(['gateway'], folder, env)
    expect([second.status, second.err]).toEqual([4, expect.stringContaining('edge runs already: gateway http://')])
  })

  it('puts a saved file to work by itself, keeps the old version where it cannot, and reloads on SIGHUP', async () => {
    const told = gateway.said.out.length
    writeFileSync(config(), example.replace('path: /shop/*', 'path: /store/*'))
    await gateway.waitFor(/reloaded gateway\.yaml in [\d.]+ s: 3 routes/)
    expect((await fetch(`${url}/store/x`, { redirect: 'manual' })).status).toBe(301)
    expect((await fetch(`${url}/shop/x`, { redirect: 'manual' })).status).toBe(404)
    writeFileSync(config(), `${example}oops: 1\n`)
    await gateway.waitFor(
      /not reloaded gateway\.yaml, what ran before goes on:\ngateway\.yaml:\d+:1: oops/,
      20_000,
      'err',
    )
    expect((await fetch(`${url}/store/x`, { redirect: 'manual' })).status).toBe(301)
    const before = gateway.said.err.length
    gateway.child.kill('SIGHUP')
    await gateway.waitFor(/(not reloaded[\s\S]*){2}/, 20_000, 'err')
    expect(gateway.said.err.slice(before)).toContain('not reloaded')
    writeFileSync(join(folder, 'orders-token.txt'), 'another-secret\n')
    writeFileSync(config(), example)
    await gateway.waitFor(/(reloaded gateway\.yaml[\s\S]*){2}/)
    expect(gateway.said.out.slice(told)).not.toContain('another-secret')
    expect((await fetch(`${url}/shop/x`, { redirect: 'manual' })).status).toBe(301)
  })

  it('lets what runs end when it is told to stop', async () => {
    writeFileSync(config(), example.replace('allow: 5,', 'allow: 500,'))
    await gateway.waitFor(/(reloaded gateway\.yaml[\s\S]*){3}/)
    const slow = fetch(`${url}/api/orders/slow`)
    await slowAsked.promise
    gateway.child.kill('SIGTERM')
    await gateway.waitFor(/stopping edge/)
    releaseSlow()
    expect(await (await slow).text()).toBe('GET /orders/slow another-secret')
    expect(await gateway.ended).toMatchObject({ status: 0 })
  })
})

describe('trestle gateway --check', () => {
  it('ends with 0 for a file that can be used, and needs nobody to be there', async () => {
    const nobody = { ...env, CATALOGUE_URL: 'http://127.0.0.1:1', ORDERS_URL: 'http://127.0.0.1:2' }
    const { status, out, err } = await runSpawned(['gateway', '--check'], folder, nobody)
    expect([status, out, err]).toEqual([0, 'ok gateway.yaml: 3 routes, 2 to upstreams\n', ''])
  })

  it('ends with 1 and says everything, as text or JSON, when it cannot be used', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'routes:\n  - { path: x, upstream: a }\n  - { path: /b, acess: anyone }\n')
    const { status, err } = await runSpawned(['gateway', 'bad.yaml', '--check'], folder, env)
    expect(status).toBe(1)
    expect(err).toMatch(/^bad\.yaml:2:13: .*\nbad\.yaml:3:17: acess .*Did you mean access\?\n2 faults in bad\.yaml\n$/)
    const json = await runSpawned(['gateway', 'bad.yaml', '--check', '--json'], folder, env)
    expect(json.status).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      faults: [
        { line: 2, column: 13 },
        { line: 3, column: 17 },
      ],
    })
    const started = await runSpawned(['start', 'bad.yaml'], folder, env)
    expect([started.status, started.err]).toEqual([2, expect.stringContaining('Run it with: trestle gateway')])
    const missing = await runSpawned(['gateway', 'none.yaml'], folder, env)
    expect([missing.status, missing.err]).toEqual([1, expect.stringContaining('none.yaml cannot be read (ENOENT)')])
  })
})

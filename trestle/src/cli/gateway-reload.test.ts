import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoadedConfig } from '../gateway/config/load-config.ts'
import type { StoreProvider } from '../store/index.ts'
import { startSystem } from '../system/index.ts'
import { testStores } from '../testing/postgres/shared-postgres.ts'
import { gatewayReloader } from './gateway-reloader.ts'
import { loadGatewaySystem } from './gateway-system.ts'

const folder = mkdtempSync(join(tmpdir(), 'trestle-reload-'))
const file = join(folder, 'gateway.yaml')
let upstream: Server
let url = ''

/** Says in its reply which version sent the request, by path and by header; takes three chunks and a while to say it. */
beforeAll(async () => {
  upstream = createServer((request, response) => {
    response.write(`path ${/^\/(v\d+)\//.exec(request.url ?? '')?.[1]}\n`)
    setImmediate(() => {
      response.write(`header ${String(request.headers['x-version'])}\n`)
      setTimeout(() => response.end('end\n'), 5)
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
})

afterAll(() => {
  upstream.closeAllConnections()
  upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Every part of it says its number: a reply that mixes two would show it. */
const version = (number: number, more = '') => `
listen: { port: 0, adminPort: 0 }
limits: [{ name: all, per: ip, allow: 1000000, windowMs: 3600000 }]
upstreams:
  echo:
    targets: [${url}]
    headers:
      request: { set: { X-Version: v${number} } }
      response: { set: { X-Version: v${number} } }
routes:
  - { path: '/echo/*', upstream: echo, access: anyone, addPrefix: /v${number} }
  - { path: '/only/v${number}', upstream: echo, access: anyone, addPrefix: /v${number} }
${more}`

const limited = (number: number, allow: number) => version(number).replace('allow: 1000000', `allow: ${allow}`)

const keyed = (number: number) =>
  version(number, '  - { path: /mine, upstream: echo }\nauthenticate: [{ apiKeys: {} }]\nplans: { free: {} }\n')

interface Told {
  readonly done: string[]
  readonly failed: string[]
  readonly notes: string[]
}

async function started(stores?: StoreProvider) {
  const load = (): LoadedConfig => loadGatewaySystem(file, {}, folder).config
  const first = loadGatewaySystem(file, {}, folder)
  const running = await startSystem({
    system: first.system,
    gatewayPort: 0,
    dataDir: mkdtempSync(join(folder, 'data-')),
    logLevel: 'silent',
    ...(stores === undefined ? {} : { stores }),
  })
  const told: Told = { done: [], failed: [], notes: [] }
  const reloader = gatewayReloader({
    first: first.config,
    shown: 'gateway.yaml',
    load,
    done: (what) => told.done.push(what),
    failed: (why) => told.failed.push(why),
    note: (text) => told.notes.push(text),
    now: () => performance.now(),
  })
  reloader.attach((spec) => running.replaceGateway(spec))
  return { running, reloader, told, [Symbol.asyncDispose]: () => running.stop() }
}

describe('a new version of a configuration', () => {
  it('is put to work 50 times under load: no request fails, and each reply is of one version', async () => {
    writeFileSync(file, version(0))
    await using gateway = await started()
    const { running, reloader, told } = gateway
    const ending = new AbortController()
    let requests = 0
    const wrong: string[] = []
    const seen = new Set<string>()
    const load = async () => {
      while (!ending.signal.aborted) {
        requests += 1
        const reply = await fetch(`${running.gatewayUrl}/echo/x`).catch((error: unknown) => String(error))
        if (typeof reply === 'string') {
          wrong.push(reply)
          continue
        }
        const body = await reply.text().catch(String)
        const name = String(reply.headers.get('x-version'))
        seen.add(name)
        if (reply.status !== 200 || body !== `path ${name}\nheader ${name}\nend\n`)
          wrong.push(`${reply.status} ${name}: ${body}`)
      }
    }
    const clients = Array.from({ length: 8 }, () => load())
    for (let number = 1; number <= 50; number += 1) {
      writeFileSync(file, version(number))
      await reloader.reload()
      const own = await fetch(`${running.gatewayUrl}/only/v${number}`)
      const before = await fetch(`${running.gatewayUrl}/only/v${number - 1}`)
      await own.body?.cancel()
      await before.body?.cancel()
      expect([own.status, before.status]).toEqual([200, 404])
    }
    ending.abort()
    await Promise.all(clients)
    expect(wrong).toEqual([])
    expect(told).toMatchObject({ done: { length: 50 }, failed: [], notes: [] })
    expect(requests).toBeGreaterThan(200)
    expect(seen.size).toBeGreaterThan(25)
  }, 60_000)

  it('that cannot be used changes nothing, and says why; so does one that only a running gateway can refuse', async () => {
    writeFileSync(file, version(1))
    await using gateway = await started()
    const { running, reloader, told } = gateway
    const status = async (path: string) => (await fetch(`${running.gatewayUrl}${path}`)).status
    writeFileSync(file, `${version(2)}oops: 1\n`)
    await reloader.reload()
    writeFileSync(file, version(2, '  - { path: /keys, upstream: echo }\nauthenticate: [{ apiKeys: {} }]\n'))
    await reloader.reload()
    const foreign = '  - { path: /a, upstream: echo, access: anyone, hosts: [b.example] }\nhosts: [a.example]\n'
    writeFileSync(file, version(2, foreign))
    await reloader.reload()
    expect(told.failed).toEqual([
      expect.stringMatching(/^gateway\.yaml:\d+:1: oops is not known at the top/),
      'the gateway now asks gateway-access (keys, plans, shared counters), which was not started with it; stop it and start it again',
      expect.stringMatching(/^gateway\.yaml: .*b\.example/),
    ])
    expect([await status('/only/v1'), await status('/only/v2')]).toEqual([200, 404])
    writeFileSync(file, version(3))
    await reloader.reload()
    expect(told.done).toEqual(['2 routes'])
    expect([await status('/only/v1'), await status('/only/v3')]).toEqual([404, 200])
  })

  it('goes on knowing keys and plans, which a gateway alone keeps in a database of its own', async () => {
    const stores = await testStores()
    writeFileSync(file, keyed(1))
    {
      await using gateway = await started(stores)
      const { running, reloader, told } = gateway
      const input = { name: 'first', owner: 'ann', plan: 'free' }
      const made = await running.operator.call({ contract: 'gateway-access', operation: 'createKey', input })
      const { secret } = (made.ok && made.body.kind === 'value' ? made.body.value : {}) as { secret: string }
      const status = async (headers: Record<string, string>) =>
        (await fetch(`${running.gatewayUrl}/mine`, { headers })).status
      expect([await status({}), await status({ 'X-Api-Key': secret })]).toEqual([401, 200])
      writeFileSync(file, keyed(2))
      await reloader.reload()
      expect(told).toMatchObject({ done: ['3 routes'], failed: [] })
      expect([await status({}), await status({ 'X-Api-Key': secret })]).toEqual([401, 200])
    }
    await stores.close()
  }, 60_000)

  it('says what it cannot change: where it listens and keeps its data', async () => {
    writeFileSync(file, version(1))
    await using gateway = await started()
    writeFileSync(file, version(2).replace('port: 0,', 'port: 1,'))
    await gateway.reloader.reload()
    expect(gateway.told.notes).toEqual(['listen changed: that takes effect at the next start'])
  })

  it('is only looked for where the files hold something else than before', async () => {
    writeFileSync(join(folder, 'secret'), 'v7\n')
    writeFileSync(file, version(1).replaceAll('X-Version: v1', 'X-Version: "${file:secret}"'))
    await using gateway = await started()
    const { running, reloader, told } = gateway
    expect(reloader.files()).toEqual([file, join(folder, 'secret')])
    await reloader.reloadChanged()
    expect(told.done).toEqual([])
    writeFileSync(join(folder, 'secret'), 'v8\n')
    await reloader.reloadChanged()
    await reloader.reloadChanged()
    expect(told.done).toHaveLength(1)
    expect((await fetch(`${running.gatewayUrl}/echo/x`)).headers.get('x-version')).toBe('v8')
  })

  it('goes on counting where the one before stopped, for limits that are the same', async () => {
    writeFileSync(file, limited(1, 2))
    await using gateway = await started()
    const { running, reloader } = gateway
    const status = async () => (await fetch(`${running.gatewayUrl}/echo/x`)).status
    expect([await status(), await status()]).toEqual([200, 200])
    writeFileSync(file, limited(2, 2))
    await reloader.reload()
    expect(await status()).toBe(429)
    writeFileSync(file, limited(3, 3))
    await reloader.reload()
    expect(await status()).toBe(200)
  })
})

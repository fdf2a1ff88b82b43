import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rawExchange, statusesOf } from '../../http/raw-client.ts'
import { anyone } from '../../contract/index.ts'
import { upstream } from '../index.ts'
import { type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'

describe('a gateway with routes of hosts', () => {
  let at: ProxiedGateway
  beforeAll(async () => {
    at = await proxiedGateway({
      more: (url) => [
        upstream('/app/*', [url], { access: anyone(), hosts: ['api.example.com'], addPrefix: '/exact' }),
        upstream('/app/*', [url], { access: anyone(), hosts: ['*.tenant.example'], addPrefix: '/wild' }),
      ],
      gateway: { hosts: [] },
    })
  })
  afterAll(() => at[Symbol.asyncDispose]())
  beforeEach(() => at.server.clear())

  const ask = async (host: string, target = '/app/x') =>
    statusesOf(await rawExchange(at.bench.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))

  it.each([
    ['api.example.com', '/exact/app/x'],
    ['API.Example.COM:8080', '/exact/app/x'],
    ['a.tenant.example', '/wild/app/x'],
  ])('case 14: %s leads to its own routes', async (host, target) => {
    expect(await ask(host)).toEqual([200])
    expect(at.targets()).toEqual([target])
  })

  it.each([
    'api.example.com.evil.test',
    'evil-api.example.com',
    'evilapi.example.com',
    'example.com',
    'api.example.com.',
    'tenant.example',
    'a.b.tenant.example',
    '.tenant.example',
    '*.tenant.example',
    'a.tenant.example.evil.test',
    'evil.test',
    'api.example.com:80:80',
    'api.example.com@evil.test',
    'api.example.com, a',
    '',
  ])('case 14: the host %j is none of them: nothing reaches the upstream', async (host) => {
    expect([400, 404]).toContain((await ask(host))[0])
    expect(at.server.connections.join('')).toBe('')
  })

  it('case 14: two hosts, or a target that names another, are refused', async () => {
    for (const message of [
      'GET /app/x HTTP/1.1\r\nHost: api.example.com\r\nHost: evil.test\r\n',
      'GET /app/x HTTP/1.1\r\nHost: evil.test\r\nHost: api.example.com\r\n',
      'GET http://api.example.com/app/x HTTP/1.1\r\nHost: evil.test\r\n',
      'GET http://evil.test/app/x HTTP/1.1\r\nHost: api.example.com\r\n',
    ]) {
      const got = await rawExchange(at.bench.port, `${message}Connection: close\r\n\r\n`)
      expect(statusesOf(got)).toEqual([400])
    }
    expect(at.server.connections.join('')).toBe('')
  })

  it('case 14: what only a proxy may say does not choose the host', async () => {
    const spoofed =
      'X-Forwarded-Host: api.example.com\r\nForwarded: host=api.example.com\r\nX-Host: api.example.com\r\n'
    expect(await at.status('/app/x', spoofed)).toEqual([404])
    expect(at.server.connections.join('')).toBe('')
  })
})

const start = (hosts: readonly string[], served: readonly string[]) =>
  proxiedGateway({
    more: (url) => [upstream('/app/*', [url], { access: anyone(), hosts })],
    gateway: { hosts: served },
  })

it('case 14: a route for a host that the gateway does not serve is refused at start', async () => {
  await expect(start(['api.example.com.evil.test'], ['api.example.com'])).rejects.toThrow(
    /host api\.example\.com\.evil\.test, which the gateway does not serve/,
  )
  await expect(start(['*.example.com'], ['example.com'])).rejects.toThrow(/does not serve/)
  await expect(start(['a..b'], [])).rejects.toThrow(/no host name/)
  await using fine = await start(['api.example.com'], ['*.example.com'])
  expect(fine.server.url).toMatch(/^http/)
})

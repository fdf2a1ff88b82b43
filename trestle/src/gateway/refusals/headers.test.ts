import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { statusesOf } from '../../http/raw-client.ts'
import { redirect } from '../redirect.ts'
import { upstream } from '../upstream/upstream.ts'
import { type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'
import { rawReply } from './recording-upstream.ts'

describe('a gateway before an upstream lets no header say what only the gateway may say', () => {
  let at: ProxiedGateway
  beforeAll(async () => {
    at = await proxiedGateway({
      more: (url) => [
        upstream('/told/{name}', [url], { access: anyone(), identity: true, rewrite: '/n/{name}' }),
        redirect('/moved/*', '/pub/*'),
      ],
    })
  })
  afterAll(() => at[Symbol.asyncDispose]())
  beforeEach(() => at.server.clear())

  /** Lines of the last request's head. */
  const lines = () => at.server.requests.at(-1)?.split('\r\n\r\n')[0]?.split('\r\n') ?? []

  it('case 4: what Connection names ends here; what the gateway sets cannot be named away', async () => {
    const ours = 'X-Request-Id, X-Forwarded-For, X-Forwarded-Host, traceparent, Trestle-Timeout-Ms, Host'
    expect(await at.status('/pub/a', `X-User-Id: root\r\nConnection: X-User-Id, Authorization, ${ours}\r\n`)).toEqual([
      200,
    ])
    expect(lines().join('\n')).not.toMatch(/x-user-id|^connection/im)
    for (const name of [
      'x-request-id',
      'x-forwarded-for',
      'x-forwarded-host',
      'traceparent',
      'trestle-timeout-ms',
      'host',
    ]) {
      expect(lines().filter((line) => line.startsWith(`${name}: `))).toHaveLength(1)
    }
  })

  it('case 4: naming Authorization away makes nobody of somebody, and lets nobody in', async () => {
    const admin = 'Authorization: Bearer alice:admin\r\n'
    expect(await at.status('/admin/a', admin)).toEqual([200])
    expect(await at.status('/admin/a', `${admin}Connection: Authorization\r\n`)).toEqual([401])
    expect(at.server.requests).toHaveLength(1)
  })

  it('case 5: what a client says of where it comes from is dropped and said anew', async () => {
    const spoofed = [
      'X-Forwarded-For: evil',
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Proto: evil',
      'X-Forwarded-Port: 666',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-User: evil',
      'Forwarded: for=evil;host=evil',
      'X-Real-IP: evil',
      'True-Client-IP: evil',
      'X-Original-URL: /evil',
      'X-Rewrite-URL: /evil',
      'X-Client-IP: evil',
      'Trestle-Caller-Id: evil',
      'X-Trestle-Anything: evil',
    ]
    expect(await at.status('/pub/a', `${spoofed.join('\r\n')}\r\n`)).toEqual([200])
    expect(lines().join('\n')).not.toMatch(/evil|6\.6\.6\.6|666/)
    expect(lines().filter((line) => /forward/.test(line))).toEqual([
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
      'x-forwarded-host: a',
    ])
  })

  it('case 5: only a proxy that is trusted is believed', async () => {
    await using trusting = await proxiedGateway({ gateway: { trustedProxies: ['127.0.0.0/8'] } })
    const said = 'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-User: evil\r\n'
    expect(await trusting.status('/pub/a', said)).toEqual([200])
    const sent = trusting.server.requests[0]
    expect(sent).toMatch(/x-forwarded-for: 9\.9\.9\.9, 127\.0\.0\.1\r\n/)
    expect(sent).toMatch(/x-forwarded-proto: https\r\n/)
    expect(sent).not.toContain('evil')
  })

  it('case 6: a name with an underscore, which others take for a hyphen, ends here', async () => {
    const odd =
      'X_User_Id: evil\r\nX-User_Id: evil\r\nX_Forwarded_For: evil\r\nTransfer_Encoding: evil\r\nX-User-Id: mine\r\n'
    expect(await at.status('/pub/a', odd)).toEqual([200])
    expect(lines().join('\n')).not.toMatch(/_|evil/)
    expect(lines()).toContain('x-user-id: mine')
  })

  it.each([
    '/told/a%0d%0aX-Evil:b',
    '/told/a%0aX-Evil:b',
    '/moved/a%0d%0aX-Evil:b',
    '/pub/%0d%0aX-Evil:b',
    '/pub/a%00b',
  ])('case 25: the line break in %s is no part of a path', async (target) => {
    const got = await at.get(target)
    expect(statusesOf(got)).toEqual([400])
    expect(got).not.toMatch(/^x-evil/im)
    expect(at.server.requests).toEqual([])
  })

  it('case 25: in a query it stays as it was written, in what the upstream gets and in a redirect', async () => {
    expect(await at.status('/pub/a?b=%0d%0aX-Evil:c')).toEqual([200])
    expect(lines()[0]).toBe('GET /pub/a?b=%0d%0aX-Evil:c HTTP/1.1')
    expect(await at.get('/moved/a?b=%0d%0aX-Evil:c')).toMatch(/^location: \/pub\/a\?b=%0d%0aX-Evil:c\r$/im)
  })

  it('case 25: in who asks it is written as an escape', async () => {
    const told = await proxiedGateway({
      gateway: {
        authenticate: [
          {
            kind: 'authenticator',
            name: 'evil',
            challenge: { scheme: 'bearer', realm: 'a' },
            uses: {},
            find: ({ authorization }) => authorization?.credential,
            open: () => async () => ({ kind: 'user', id: 'a\r\nX-Evil: b', scopes: ['c\nX-Evil:', 'é'], tenant: '\0' }),
          },
        ],
      },
      more: (url) => [upstream('/told/*', [url], { identity: true })],
    })
    expect(await told.status('/told/a', 'Authorization: Bearer x\r\n')).toEqual([200])
    const [sent = ''] = told.server.requests
    expect(sent).not.toMatch(/^x-evil/im)
    expect(sent).toMatch(/^trestle-caller-id: a%0D%0AX-Evil%3A%20b\r$/m)
    expect(sent).toMatch(/^trestle-caller-scopes: c%0AX-Evil%3A %C3%A9\r$/m)
    await told[Symbol.asyncDispose]()
  })

  it('case 25: in a header of the upstream it makes the whole reply none', async () => {
    for (const value of ['b\nX-Evil: c', 'b\rX-Evil: c', 'b\0c']) {
      at.server.reply = () => rawReply('ok', `X-A: ${value}\r\n`)
      const got = await at.get('/pub/a')
      expect(statusesOf(got)).toEqual([502])
      expect(got).not.toMatch(/x-evil/i)
    }
    at.server.reply = () => rawReply('ok')
    expect(await at.status('/pub/a')).toEqual([200])
  })
})

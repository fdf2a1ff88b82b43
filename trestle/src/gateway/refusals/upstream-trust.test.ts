import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { rawExchange, statusesOf } from '../../http/raw-client.ts'
import { startBench } from '../gateway-fixture.ts'
import { upstream, type UpstreamOptions } from '../upstream/upstream.ts'
import { proxiedGateway } from './proxied-gateway.ts'
import { rawReply, recordingUpstream } from './recording-upstream.ts'
import { selfSigned, selfSignedForOther } from './self-signed.ts'

/** What a gateway answers before a server with this certificate, and what that server got. */
async function overTls(certificate: typeof selfSigned, options: UpstreamOptions = {}) {
  const server = await recordingUpstream(undefined, certificate)
  const routes = [upstream('/tls/*', [server.url], { access: anyone(), ...options })]
  const bench = await startBench(undefined, { routes })
  const reply = await bench.fetch('/tls/a')
  const text = await reply.text()
  await bench.stop()
  await bench.gateway.close()
  await server.stop()
  return { status: reply.status, text, requests: server.requests.length }
}

describe('a gateway believes an upstream only as far as it can be sure who it is', () => {
  it('case 16: a certificate that signed itself is 502, and the upstream gets nothing', async () => {
    const { status, text, requests } = await overTls(selfSigned)
    expect([status, JSON.parse(text), requests]).toEqual([502, expect.objectContaining({ code: 'bad_gateway' }), 0])
  })

  it('case 16: the same certificate is good where the operator says so, and only for its own host', async () => {
    expect(await overTls(selfSigned, { tls: { ca: selfSigned.cert } })).toEqual({
      status: 200,
      text: 'ok',
      requests: 1,
    })
    const other = await overTls(selfSignedForOther, { tls: { ca: selfSignedForOther.cert } })
    expect([other.status, other.requests]).toEqual([502, 0])
  })

  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nSec-WebSocket-Version: 13\r\n'
  const inner = 'GET /admin/secret HTTP/1.1\r\nHost: a\r\n\r\n'

  it('case 26: an upgrade without authorisation is 401, and nothing behind it reaches anybody', async () => {
    await using at = await proxiedGateway()
    const got = await rawExchange(at.bench.port, `GET /admin/ws HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n${inner}`)
    expect(statusesOf(got)).toEqual([401])
    expect(at.server.connections).toEqual([])
  })

  it('case 26: an upstream that does not answer 101 makes no tunnel of the connection', async () => {
    await using at = await proxiedGateway({ reply: () => rawReply('no') })
    const got = await rawExchange(at.bench.port, `GET /pub/ws HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n${inner}`)
    expect(statusesOf(got)).toEqual([200])
    expect(at.targets()).toEqual(['/pub/ws'])
    expect(at.server.requests[0]).not.toMatch(/^(?:upgrade|connection):/im)
  })

  it('case 26: nor does one that answers 101 to a request that asked for nothing', async () => {
    await using at = await proxiedGateway({
      reply: () => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nsecret',
    })
    const got = await rawExchange(at.bench.port, `GET /pub/ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    expect(statusesOf(got)).toEqual([502])
    expect(got).not.toContain('secret')
  })
})

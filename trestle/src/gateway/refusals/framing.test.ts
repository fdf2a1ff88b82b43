import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rawClient, rawExchange, statusesOf } from '../../http/raw-client.ts'
import { eventually, type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'

const head = 'Host: a\r\n'
const inner = `GET /admin/x HTTP/1.1\r\n${head}\r\n`
const post = `POST /pub/a HTTP/1.1\r\n${head}`
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`
/** What a client of HTTP/2 says first. Source: RFC 9113, section 3.4. */
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** A frame of HTTP/2. Source: RFC 9113, section 4.1. */
function frame(type: number, flags: number, stream: number, payload: string): string {
  const bytes = Buffer.alloc(9)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes.writeUInt8(type, 3)
  bytes.writeUInt8(flags, 4)
  bytes.writeUInt32BE(stream, 5)
  return bytes.toString('latin1') + payload
}

describe('a gateway before an upstream passes on nothing that two could cut differently', () => {
  let at: ProxiedGateway
  beforeAll(async () => {
    at = await proxiedGateway()
  })
  afterAll(() => at[Symbol.asyncDispose]())
  beforeEach(() => at.server.clear())

  it.each([
    ['both lengths', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`],
    [
      'both lengths, the other way round',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${inner}`,
    ],
    ['two encodings', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${inner}`],
    ['two encodings in one', `${post}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n${inner}`],
    ['an obfuscated encoding', `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${inner}`],
    ['an encoding with a space before its colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`],
    ['a quoted encoding', `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${inner}`],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`],
    ['two equal lengths', `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na${inner}`],
    ['lengths in one', `${post}Content-Length: 0, ${inner.length}\r\n\r\n${inner}`],
    ['a signed length', `${post}Content-Length: +0\r\n\r\n${inner}`],
    ['a length in hexadecimal', `${post}Content-Length: 0x10\r\n\r\n${inner}`],
    ['a bare LF', `${post}Content-Length: 0\n\r\n${inner}`],
    ['a bare LF before a length', `${post}A: b\nContent-Length: ${inner.length}\r\n\r\n${inner}`],
    ['a bare CR', `${post}A: b\rContent-Length: ${inner.length}\r\n\r\n${inner}`],
    ['a folded line', `${post}A: b\r\n Content-Length: 0\r\n\r\n${inner}`],
    ['an encoding in HTTP/1.0', `POST /pub/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`],
  ])('case 9: %s is one 400 and a closed connection, and nothing reaches the upstream', async (_what, text) => {
    expect(statusesOf(await rawExchange(at.bench.port, text))).toEqual([400])
    expect(at.server.requests).toEqual([])
  })

  it('case 9: a good body is framed anew, so that the upstream sees one request', async () => {
    const close = 'Connection: close\r\n'
    const text = `${post}${close}Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)};x=y\r\n${inner}\r\n0\r\n\r\n`
    expect(statusesOf(await rawExchange(at.bench.port, text))).toEqual([200])
    expect(at.server.requests).toHaveLength(1)
    expect(at.server.requests[0]).not.toContain('x=y')
    expect(at.server.requests[0]).toContain(`\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`)
  })

  it.each([
    '2;a\nb\r\n{}\r\n0\r\n\r\n',
    '2;a\rb\r\n{}\r\n0\r\n\r\n',
    '2;a="\n"\r\n{}\r\n0\r\n\r\n',
    '2\n{}\r\n0\r\n\r\n',
  ])('case 10: %j is no chunk, and the upstream never gets a whole request', async (chunk) => {
    const got = await rawExchange(at.bench.port, chunked + chunk + inner)
    expect(statusesOf(got)).toEqual([400])
    await eventually(() => at.server.sockets.size === 0)
    expect(at.server.requests).toEqual([])
  })

  it('case 11: HTTP/2 is not spoken: its preface is refused, whatever headers come behind it', async () => {
    const fields = '\x00\x04a\r\nb\x01c\x00\x11transfer-encoding\x07chunked'
    const got = await rawExchange(at.bench.port, preface + frame(4, 0, 0, '') + frame(1, 5, 1, fields))
    expect(got).toMatch(/^HTTP\/1\.1 (?:400|505) /)
    expect(statusesOf(got)).toHaveLength(1)
    expect(at.server.connections).toEqual([])
  })

  it('case 11: nobody is upgraded to HTTP/2 either; what comes behind the request is no request', async () => {
    const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
    const got = await rawExchange(at.bench.port, `GET /pub/a HTTP/1.1\r\n${head}${upgrade}\r\n${preface}${inner}`)
    expect(statusesOf(got)).toEqual([200])
    expect(at.targets()).toEqual(['/pub/a'])
    expect(at.server.requests[0]).not.toMatch(/upgrade|http2/i)
  })

  it('case 12: a rapid reset and a flood of CONTINUATION end with their connection, and others are served', async () => {
    const resets = Array.from(
      { length: 1_000 },
      (_, i) => frame(1, 4, 2 * i + 1, '\x82') + frame(3, 0, 2 * i + 1, '\0\0\0\x08'),
    )
    const endless = frame(1, 0, 1, '\x82') + frame(9, 0, 1, 'a'.repeat(1_000)).repeat(1_000)
    for (const flood of [resets.join(''), endless]) {
      const client = rawClient(at.bench.port)
      client.send(preface + flood)
      await client.closed()
      expect(await at.status('/pub/a')).toEqual([200])
    }
    expect(new Set(at.targets())).toEqual(new Set(['/pub/a']))
    expect(at.bench.errors).toEqual([])
  })

  it('case 12: in HTTP/1.1, 1,000 requests that are reset at once leave nothing behind', async () => {
    at.server.reply = () => undefined
    for (let round = 0; round < 20; round += 1) {
      const clients = Array.from({ length: 50 }, () => rawClient(at.bench.port))
      for (const client of clients) client.send(`GET /pub/slow HTTP/1.1\r\n${head}\r\n`)
      const asked = (round + 1) * 50
      await eventually(() => at.server.requests.length === asked)
      for (const client of clients) client.socket.resetAndDestroy()
    }
    await eventually(() => at.server.sockets.size === 0)
    at.server.reply = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
    expect(await at.status('/pub/a')).toEqual([200])
    expect(at.bench.errors).toEqual([])
  })
})

import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { rawClient, rawExchange } from '../../http/raw-client.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { type RawReply, rawReply, type RecordingUpstream, recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from '../upstream/upstream.ts'
import { preferredCoding } from './accept-encoding.ts'
import { compress } from './compress.ts'

describe('the coding that a client prefers', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['gzip, br', 'br'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=1.0, gzip;q=1', 'br'],
    ['*', 'br'],
    ['*;q=0.3, br;q=0', 'gzip'],
    ['gzip;q=0', undefined],
    ['identity', undefined],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['gzip;q=0, *', 'br'],
    ['deflate, zstd', undefined],
    ['gzip;q=2', undefined],
    ['gzip;level=9', undefined],
    ['br;q=0.001', 'br'],
    [`${'a,'.repeat(30)}gzip`, undefined],
  ] as const)('of %j is %s', (header, expected) => {
    expect(preferredCoding(header, ['br', 'gzip'])).toBe(expected)
  })
})

describe('compression', () => {
  const text = 'to be or not to be '.repeat(200)
  const json = 'Content-Type: application/json\r\n'
  let server: RecordingUpstream
  let bench: Bench
  beforeAll(async () => {
    server = await recordingUpstream()
    const routes = [upstream('/a/*', [server.url], { access: anyone() })]
    bench = await startBench(undefined, { routes, policies: [compress({ types: ['application/vnd.x'] })] })
  })
  afterAll(async () => {
    await bench.stop()
    await bench.gateway.close()
    await server.stop()
  })

  /** Head and body of a reply, as they are on the wire. */
  async function ask(reply: RawReply | string, headers = 'Accept-Encoding: gzip\r\n', method = 'GET') {
    server.reply = typeof reply === 'string' ? () => reply : reply
    const got = await rawExchange(
      bench.port,
      `${method} /a/b HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`,
    )
    const [head = '', ...rest] = got.split('\r\n\r\n')
    const field = (name: string) => {
      const values = [...head.matchAll(new RegExp(`^${name}: (.*)$`, 'gim'))].map((match) => match[1])
      return values.length === 0 ? undefined : values.join(', ')
    }
    return { field, body: Buffer.from(rest.join('\r\n\r\n'), 'latin1') }
  }

  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ])('in %s is what it was, shorter, and says so', async (coding, decode) => {
    const { field, body } = await ask(
      rawReply(text, `${json}ETag: "a"\r\nAccept-Ranges: bytes\r\n`),
      `Accept-Encoding: ${coding}\r\n`,
    )
    expect(field('content-encoding')).toBe(coding)
    expect(decode(body).toString()).toBe(text)
    expect(body.length).toBeLessThan(text.length / 10)
    expect(field('content-length')).toBe(String(body.length))
    expect([field('vary'), field('etag'), field('accept-ranges')]).toEqual(['Accept-Encoding', 'W/"a"', undefined])
  })

  it.each([
    ['a small reply', rawReply('{}', json), undefined],
    ['a picture', rawReply(text, 'Content-Type: image/png\r\n'), undefined],
    ['an unknown type', rawReply(text), undefined],
    ['an event stream', rawReply(text, 'Content-Type: text/event-stream\r\n'), undefined],
    ['what is encoded already', rawReply(text, `${json}Content-Encoding: zstd\r\n`), 'zstd'],
    ['what must not be changed', rawReply(text, `${json}Cache-Control: public, no-transform\r\n`), undefined],
    ['what is digested', rawReply(text, `${json}Content-Digest: sha-256=:a:\r\n`), undefined],
    ['a part', rawReply(text, `${json}Content-Range: bytes 0-9/99\r\n`, '206 Partial Content'), undefined],
  ])('leaves %s as it is', async (_what, reply, coding) => {
    const { field, body } = await ask(reply)
    expect([field('content-encoding'), field('vary')]).toEqual([coding, undefined])
    expect(body.toString('latin1')).toBe(reply.split('\r\n\r\n')[1])
  })

  it.each([
    ['does not ask for it', ''],
    ['asks for something else', 'Accept-Encoding: zstd\r\n'],
    ['wants it unchanged', 'Accept-Encoding: gzip\r\nCache-Control: no-transform\r\n'],
  ])('leaves a reply as it is for a client that %s, and says that others get another', async (_what, headers) => {
    const { field, body } = await ask(rawReply(text, `${json}Vary: Accept\r\nETag: "a"\r\n`), headers)
    expect([field('content-encoding'), field('etag')]).toEqual([undefined, '"a"'])
    expect(field('vary')).toBe('Accept, Accept-Encoding')
    expect(body.toString()).toBe(text)
  })

  it('says Vary once', async () => {
    expect((await ask(rawReply(text, `${json}Vary: Cookie, accept-encoding\r\n`))).field('vary')).toBe(
      'Cookie, accept-encoding',
    )
    expect((await ask(rawReply(text, `${json}Vary: *\r\n`))).field('vary')).toBe('*')
    expect((await ask('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')).field('vary')).toBe('Accept-Encoding')
  })

  it('knows further types, and has no body for HEAD', async () => {
    expect((await ask(rawReply(text, 'Content-Type: application/vnd.x; a=b\r\n'))).field('content-encoding')).toBe(
      'gzip',
    )
    const head = await ask(
      `HTTP/1.1 200 OK\r\n${json}Content-Length: 5000\r\n\r\n`,
      'Accept-Encoding: gzip\r\n',
      'HEAD',
    )
    expect([head.body.length, head.field('content-encoding')]).toEqual([0, undefined])
  })

  it('of a large reply is done on the way, and of one that streams as it comes', async () => {
    const large = text.repeat(100)
    expect(gunzipSync(dechunked((await ask(rawReply(large, json))).body)).toString()).toBe(large)
    server.reply = ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${json}Transfer-Encoding: chunked\r\n\r\n4\r\n"one\r\n`)
      return undefined
    }
    const client = rawClient(bench.port)
    client.send('GET /a/b HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
    // The first piece is here though the second has not been sent.
    const first = await client.until('\x00\x00\xff\xff')
    expect(first).toMatch(/content-encoding: gzip/i)
    const [socket] = server.sockets
    socket?.write('4\r\ntwo"\r\n0\r\n\r\n')
    const whole = await client.until('\r\n0\r\n\r\n')
    const body = Buffer.from(whole.slice(whole.indexOf('\r\n\r\n') + 4), 'latin1')
    expect(gunzipSync(dechunked(body)).toString()).toBe('"onetwo"')
    client.end()
  })

  it('of a reply that breaks off breaks off too', async () => {
    server.reply = ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${json}Content-Length: 5000\r\n\r\nabc`, () => socket.resetAndDestroy())
      return undefined
    }
    const got = await rawExchange(bench.port, 'GET /a/b HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
    expect(got).not.toContain('\r\n0\r\n\r\n')
    expect(bench.errors).toEqual([])
  })

  it.each([
    [{ codings: [] }, /codings/],
    [{ minBytes: -1 }, /minBytes/],
    [{ types: ['Text'] }, /no media type/],
  ])('with %j is refused at start', (options, message) => {
    expect(() => compress(options)).toThrow(message)
  })
})

/** The data of chunks, without their sizes; what is not in chunks stays as it is. */
function dechunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    if (!(size > 0)) break
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
  return Buffer.concat(parts)
}

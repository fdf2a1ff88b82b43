import { describe, expect, it } from 'vitest'
import { rawExchange, statusesOf } from '../raw-client.ts'
import { type HttpEngine, start } from './engine.ts'

const host = 'Host: a.example\r\n'
const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`
/** Follows each refused message: if it were taken for a request, there would be a second reply. */
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}Connection: close\r\n\r\n`

const refused: readonly (readonly [what: string, message: string])[] = [
  ['a bare LF after the request line', `GET / HTTP/1.1\n${host}\r\n`],
  ['a bare LF after a field', 'GET / HTTP/1.1\r\nHost: a.example\n\r\n'],
  ['a bare LF as the end of the head', `GET / HTTP/1.1\r\n${host}\n`],
  ['a bare CR in a value', `GET / HTTP/1.1\r\n${host}A: b\rc\r\n\r\n`],
  ['a bare CR in the request line', `GET /\r HTTP/1.1\r\n${host}\r\n`],
  ['a folded line', `GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`],
  ['a folded first line', `GET / HTTP/1.1\r\n A: b\r\n${host}\r\n`],
  ['a space before the colon', `GET / HTTP/1.1\r\n${host}A : b\r\n\r\n`],
  ['a name that is no token', `GET / HTTP/1.1\r\n${host}A(b: c\r\n\r\n`],
  ['an empty name', `GET / HTTP/1.1\r\n${host}: c\r\n\r\n`],
  ['a field without a colon', `GET / HTTP/1.1\r\n${host}Abc\r\n\r\n`],
  ['NUL in a value', `GET / HTTP/1.1\r\n${host}A: b\0c\r\n\r\n`],
  ['another control character in a value', `GET / HTTP/1.1\r\n${host}A: b\x01c\r\n\r\n`],
  ['two equal Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
  ['two different Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
  ['a list as Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\na`],
  ['a signed Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`],
  ['a hexadecimal Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\na`],
  ['an empty Content-Length', `POST / HTTP/1.1\r\n${host}Content-Length: \r\n\r\n`],
  ['a Content-Length beyond every number', `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\na`],
  ['both lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [
    'both lengths, the other way round',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  ],
  [
    'Transfer-Encoding twice',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['chunked not last', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ['an encoding before chunked', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['identity', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`],
  ['an obfuscated chunked', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['chunked behind a vertical tab', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['Transfer-Encoding in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', `GET / HTTP/1.1\r\n${host}Host: b.example\r\n\r\n`],
  ['the same Host twice', `GET / HTTP/1.1\r\n${host}${host}\r\n`],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost: \r\n\r\n'],
  ['a Host with a user', 'GET / HTTP/1.1\r\nHost: a@b.example\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: b.example/x\r\n\r\n'],
  ['a Host that differs from the target', `GET http://b.example/ HTTP/1.1\r\n${host}\r\n`],
  ['a target with a user', 'GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ['a target with a fragment', `GET /#x HTTP/1.1\r\n${host}\r\n`],
  ['a target of another scheme', `GET ftp://a.example/ HTTP/1.1\r\n${host}\r\n`],
  ['a target that is no path', `GET x HTTP/1.1\r\n${host}\r\n`],
  ['* for GET', `GET * HTTP/1.1\r\n${host}\r\n`],
  ['a target with raw bytes beyond ASCII', `GET /\xe9 HTTP/1.1\r\n${host}\r\n`],
  ['an unknown protocol', `GET / HTTQ/1.1\r\n${host}\r\n`],
  ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a signed chunk size', `${chunked}+1\r\na\r\n0\r\n\r\n`],
  ['a chunk size with 0x', `${chunked}0x1\r\na\r\n0\r\n\r\n`],
  ['a space before a chunk size', `${chunked} 1\r\na\r\n0\r\n\r\n`],
  ['an empty chunk size', `${chunked}\r\na\r\n0\r\n\r\n`],
  ['a chunk size beyond every number', `${chunked}fffffffffffffffff\r\na\r\n0\r\n\r\n`],
  ['LF in a chunk extension', `${chunked}1;a=b\nc\r\na\r\n0\r\n\r\n`],
  ['CR in a chunk extension', `${chunked}1;a=b\rc\r\na\r\n0\r\n\r\n`],
  ['a bare LF after a chunk size', `${chunked}1\na\r\n0\r\n\r\n`],
  ['more bytes in a chunk than its size', `${chunked}1\r\nab\r\n0\r\n\r\n`],
  ['a bare LF after chunk data', `${chunked}1\r\na\n0\r\n\r\n`],
]

/** Messages whose borders two parsers could see differently are no messages. Source: RFC 9112; http.md. */
export function framingConformance(engine: HttpEngine): void {
  describe('refuses with 400 and closes', () => {
    it.each(refused)('%s', async (_what, message) => {
      const targets: string[] = []
      await using server = await start(engine, async (request) => {
        targets.push(request.target)
        return { status: 200, headers: [], body: await request.body.bytes(100) }
      })
      expect(statusesOf(await rawExchange(server.port, message + smuggled))).toEqual([400])
      expect(targets).not.toContain('/smuggled')
    })

    it('a hundred of them, whole and byte by byte alike', async () => {
      await using server = await start(engine)
      const some = refused.filter(([what]) => /both|chunk|fold|LF/.test(what))
      expect(some.length).toBeGreaterThan(10)
      for (const [, message] of some) {
        expect(statusesOf(await bytewise(server.port, message + smuggled))).toEqual([400])
      }
    })
  })

  it('refuses versions it does not speak, and none at all, with 400 or 505', async () => {
    await using server = await start(engine)
    for (const version of [' HTTP/0.9', ' HTTP/1.2', ' HTTP/2.0', '']) {
      const got = statusesOf(await rawExchange(server.port, `GET /${version}\r\n${host}\r\n${smuggled}`))
      expect(got).toHaveLength(1)
      expect([400, 505]).toContain(got[0])
    }
  })

  it('takes nothing after a message that closes for a request', async () => {
    const targets: string[] = []
    await using server = await start(engine, (request) => {
      targets.push(request.target)
      return { status: 200, headers: [] }
    })
    const got = await rawExchange(server.port, `GET /first HTTP/1.1\r\n${host}Connection: close\r\n\r\n${smuggled}`)
    expect(statusesOf(got)[0]).toBe(200)
    expect(statusesOf(got).slice(1)).not.toContain(200)
    expect(targets).toEqual(['/first'])
  })

  it.each(['GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nContent-Length: 2\r\n'])(
    'answers a request to upgrade as any other, and takes nothing behind it for a request: %j',
    async (head) => {
      const targets: string[] = []
      await using server = await start(engine, async (request) => {
        targets.push(request.target)
        return { status: 200, headers: [], body: await request.body.bytes(100) }
      })
      const body = head.startsWith('POST') ? 'ok' : ''
      const upgrade = `${head}${host}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n${body}`
      const got = await rawExchange(server.port, upgrade + smuggled)
      expect(statusesOf(got)).toEqual([200])
      expect(got).toMatch(/\r\nConnection: close\r\n/i)
      expect(got.endsWith(body)).toBe(true)
      expect(targets).toEqual(['/'])
    },
  )
}

async function bytewise(port: number, text: string): Promise<string> {
  const { rawClient } = await import('../raw-client.ts')
  const client = rawClient(port)
  client.socket.setNoDelay(true)
  for (const byte of text) {
    if (client.socket.destroyed || !client.socket.writable) break
    client.send(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return await client.closed()
}

import { describe, expect, it } from 'vitest'
import { ReplyParser } from './reply-parser.ts'

/** What a parser makes of the pieces; `end` when the connection ends after them. */
function read(pieces: readonly string[], { method = 'GET', end = false } = {}) {
  const seen = { status: 0, raw: [] as string[], body: '', ended: false, reusable: false, error: '' }
  const parser = new ReplyParser({
    head(status, raw) {
      seen.status = status
      seen.raw = raw
    },
    data(chunk) {
      seen.body += Buffer.from(chunk).toString('latin1')
    },
    end() {
      seen.ended = true
      seen.reusable = parser.reusable
    },
  })
  parser.expect(method)
  try {
    for (const piece of pieces) parser.execute(Buffer.from(piece, 'latin1'))
    if (end && parser.busy) parser.finish()
  } catch (error) {
    seen.error = (error as { code: string }).code
  }
  return seen
}

const whole: readonly (readonly [string, string, object])[] = [
  [
    'a length',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b \r\n\r\nhello',
    { status: 200, body: 'hello', reusable: true },
  ],
  ['no phrase', 'HTTP/1.1 204\r\n\r\n', { status: 204, body: '', reusable: true }],
  ['an empty body', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', { body: '', reusable: true }],
  [
    'chunks, extensions and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a="b"\r\nhe\r\n00003 ; x\r\nllo\r\n0\r\nX-T: 1\r\nExpires: never\r\n\r\n',
    { body: 'hello', reusable: true },
  ],
  [
    'interim replies before it',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, raw: ['content-length', '2'], body: 'ok', reusable: true },
  ],
  [
    'a close',
    'HTTP/1.1 200 OK\r\nConnection: keep, close\r\nContent-Length: 2\r\n\r\nok',
    { body: 'ok', reusable: false },
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', { body: 'ok', reusable: false }],
  [
    'a 304 with a length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
    { status: 304, body: '', reusable: false },
  ],
]

describe('the parser of replies', () => {
  it.each(whole)('reads a reply with %s, whole and split at every byte', (_what, text, expected) => {
    const first = read([text])
    expect(first).toMatchObject({ ended: true, error: '', ...expected })
    for (let at = 1; at < text.length; at += 1) expect(read([text.slice(0, at), text.slice(at)])).toEqual(first)
    expect(read(text.split(''))).toEqual(first)
  })

  it('reads until the connection ends when nothing says where the body ends', () => {
    expect(read(['HTTP/1.1 200 OK\r\n\r\nab', 'c'], { end: true })).toMatchObject({
      body: 'abc',
      ended: true,
      reusable: false,
    })
  })

  it('takes no body for a HEAD, and no second request on that connection', () => {
    const seen = read(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'], { method: 'HEAD' })
    expect(seen).toMatchObject({ body: '', ended: true, reusable: false, raw: ['content-length', '5'] })
  })

  it.each([
    ['before its head', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
    ['before its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n'],
    ['in its trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n'],
  ])('says reset when the connection ends %s', (_where, text) => {
    expect(read([text], { end: true })).toMatchObject({ ended: false, error: 'reset' })
  })

  const head = 'HTTP/1.1 200 OK\r\n'
  it.each([
    ['another protocol', 'SSH-2.0\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 999 OK\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nA: b\n\n'],
    ['a bare CR', `${head}A: b\rC: d\r\n\r\n`],
    ['a NUL', `${head}A: b\0\r\n\r\n`],
    ['a folded line', `${head}A: b\r\n c\r\n\r\n`],
    ['a space before the colon', `${head}A : b\r\n\r\n`],
    ['a line without a colon', `${head}Ab\r\n\r\n`],
    ['two lengths', `${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    ['lengths in one', `${head}Content-Length: 1, 1\r\n\r\na`],
    ['a length behind what is no space of HTTP', `${head}Content-Length: \xa01\r\n\r\na`],
    ['chunks behind what is no space of HTTP', `${head}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n`],
    ['a signed length', `${head}Content-Length: +1\r\n\r\na`],
    ['a length and chunks', `${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `${head}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n`],
    ['another encoding', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a size that is none', `${head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ['a signed size', `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
    ['a size beyond all bounds', `${head}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n`],
    ['a bare LF after a size', `${head}Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`],
    ['a CR in an extension', `${head}Transfer-Encoding: chunked\r\n\r\n1;a\rb\r\na\r\n0\r\n\r\n`],
    ['a chunk that goes on', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['a trailer that is none', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n b\r\n\r\n`],
    ['a switch of protocols nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['endless interim replies', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
    ['an endless head', `${head}A: ${'b'.repeat(100_000)}`],
    ['endless fields', `${head}${'A: b\r\n'.repeat(1_000)}\r\n`],
    ['bytes after its end', `${head}Content-Length: 1\r\n\r\nab`],
  ])('refuses a reply with %s, whole and byte by byte', (_what, text) => {
    expect(read([text]).error).toBe('bad_response')
    expect(read(text.length < 5_000 ? text.split('') : [text.slice(0, 50), text.slice(50)]).error).toBe('bad_response')
  })
})

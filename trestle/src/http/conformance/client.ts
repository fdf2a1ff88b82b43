import { createServer, type Server, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { ClientRequest, HttpClient, HttpClientOptions } from '../message.ts'
import { eventually, type HttpEngine, start } from './engine.ts'

/** A server that writes what it is told, byte for byte; `reply` runs once per connection with what came first. */
async function rawServer(reply: (socket: Socket, count: number) => void) {
  let count = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    count += 1
    const mine = count
    socket.on('error', () => undefined)
    socket.once('data', () => reply(socket, mine))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    origin: `http://127.0.0.1:${port}`,
    connections: () => count,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function open(engine: HttpEngine, options: HttpClientOptions = {}): HttpClient & AsyncDisposable {
  const client = engine.createHttpClient(options)
  return {
    request: (request) => client.request(request),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

const get = (origin: string, more: Partial<ClientRequest> = {}): ClientRequest => ({
  method: 'GET',
  origin,
  target: '/',
  headers: [],
  ...more,
})

async function* inTwo(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hel')
  yield Buffer.from('lo')
}

async function* fails(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hel')
  throw new Error('no more')
}

const ambiguous: readonly (readonly [string, string])[] = [
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc'],
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n'],
  ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
]

export function clientConformance(engine: HttpEngine): void {
  describe('the client', () => {
    it('sends and reads bodies, fields and statuses', async () => {
      await using server = await start(engine, async (request) => ({
        status: 201,
        headers: [
          ['X-Seen', request.headers.get('x-sent') ?? ''],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ],
        body: await request.body.bytes(100),
      }))
      await using client = open(engine)
      for (const sent of ['hello', Buffer.from('hello'), inTwo()]) {
        const reply = await client.request({
          method: 'POST',
          origin: `http://127.0.0.1:${server.port}`,
          target: '/?q',
          headers: [['X-Sent', 'yes']],
          body: sent,
        })
        expect(reply.status).toBe(201)
        expect(reply.headers.get('x-seen')).toBe('yes')
        expect(reply.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
        expect(Buffer.from(await reply.bytes(5)).toString()).toBe('hello')
      }
    })

    it('follows no redirect', async () => {
      await using server = await start(engine, () => ({ status: 302, headers: [['Location', '/elsewhere']] }))
      await using client = open(engine)
      const reply = await client.request(get(`http://127.0.0.1:${server.port}`))
      expect(reply.status).toBe(302)
      await reply.discard()
    })

    it('says connect_failed when nothing was sent', async () => {
      await using client = open(engine)
      await expect(client.request(get('http://127.0.0.1:1'))).rejects.toMatchObject({ code: 'connect_failed' })
    })

    it('says reset when the connection broke after sending, and does not ask a fresh connection again', async () => {
      await using server = await rawServer((socket) => socket.resetAndDestroy())
      await using client = open(engine)
      await expect(client.request(get(server.origin))).rejects.toMatchObject({ code: 'reset' })
      await expect(client.request(get(server.origin, { method: 'POST', body: 'x' }))).rejects.toMatchObject({
        code: 'reset',
      })
      expect(server.connections()).toBe(2)
    })

    it('says reset when the reply ends too early', async () => {
      await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
      await using client = open(engine)
      const read = client.request(get(server.origin)).then((reply) => reply.bytes(100))
      await expect(read).rejects.toMatchObject({ code: 'reset' })
    })

    it('asks again when a connection that had served broke and the method is idempotent, else never', async () => {
      const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
      await using server = await rawServer((socket) => {
        socket.write(ok)
        socket.once('data', () => socket.destroy())
      })
      await using client = open(engine, { connectionsMax: 1 })
      const ask = async (method: string) => {
        const reply = await client.request(get(server.origin, { method }))
        return Buffer.from(await reply.bytes(10)).toString()
      }
      expect(await ask('GET')).toBe('ok')
      expect(await ask('GET')).toBe('ok')
      expect(server.connections()).toBe(2)
      await expect(ask('POST')).rejects.toMatchObject({ code: 'reset' })
      expect(server.connections()).toBe(2)
    })

    it.each([
      ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 1],
      ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok', 1],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 1],
      [
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        1,
      ],
      ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok', 2],
      ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', 2],
      ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 2],
    ])('after %j two requests take %i connections', async (text, connections) => {
      await using server = await rawServer((socket) => {
        socket.write(text)
        socket.on('data', () => socket.write(text))
      })
      await using client = open(engine)
      for (let i = 0; i < 2; i += 1) {
        const reply = await client.request(get(server.origin))
        expect(reply.status).toBe(200)
        expect(Buffer.from(await reply.bytes(2)).toString()).toBe('ok')
      }
      expect(server.connections()).toBe(connections)
    })

    it('takes what comes until the end of the connection for the body when nothing says where it ends', async () => {
      await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'))
      await using client = open(engine)
      const reply = await client.request(get(server.origin))
      expect(Buffer.from(await reply.bytes(10)).toString()).toBe('all of it')
    })

    it('never sends what would not be one request', async () => {
      await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
      await using client = open(engine)
      for (const bad of [
        { headers: [['A', 'b\r\nC: d']] },
        { headers: [['A\r\nC', 'b']] },
        { target: '/ HTTP/1.1\r\n' },
        { target: 'x' },
        { method: 'GET /' },
      ] satisfies Partial<ClientRequest>[]) {
        await expect(client.request(get(server.origin, bad))).rejects.toThrow(TypeError)
      }
      expect(server.connections()).toBe(0)
    })

    it('breaks off when the body of a request is not as long as was said, or fails', async () => {
      const got: string[] = []
      await using server = await rawServer((socket) => {
        got.push('')
        socket.on('data', (chunk: Buffer) => void got.push(chunk.toString()))
      })
      await using client = open(engine)
      const headers = [['Content-Length', '9']] as const
      const post = (more: Partial<ClientRequest>) => client.request(get(server.origin, { method: 'POST', ...more }))
      await expect(post({ headers, body: inTwo() })).rejects.toThrow('shorter')
      await expect(post({ headers: [['Content-Length', '4']], body: inTwo() })).rejects.toThrow('longer')
      await expect(post({ body: fails() })).rejects.toThrow('no more')
      expect(got.join('')).not.toContain('0\r\n\r\n')
    })

    it.each(ambiguous)('takes no reply with %s', async (_what, text) => {
      await using server = await rawServer((socket) => socket.end(text))
      await using client = open(engine)
      const read = client.request(get(server.origin)).then((reply) => reply.bytes(100))
      await expect(read).rejects.toMatchObject({ code: 'bad_response' })
    })

    it('gives up when the head does not come in time, and when the body stalls', async () => {
      await using silent = await rawServer(() => undefined)
      await using stalling = await rawServer((socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
      )
      await using client = open(engine, { bodyIdleTimeoutMs: 50 })
      await expect(client.request(get(silent.origin, { timeoutMs: 50 }))).rejects.toMatchObject({ code: 'timeout' })
      const reply = await client.request(get(stalling.origin))
      await expect(reply.bytes(100)).rejects.toMatchObject({ code: 'body_timeout' })
    })

    it('bounds the reply, the connections and the line before them', async () => {
      const waiting: Socket[] = []
      await using server = await rawServer((socket) => void waiting.push(socket))
      await using client = open(engine, { connectionsMax: 1, waitingMax: 1 })
      const first = client.request(get(server.origin)).then((reply) => reply.bytes(2))
      await eventually(() => waiting.length === 1)
      const second = client.request(get(server.origin, { timeoutMs: 30 }))
      await expect(client.request(get(server.origin))).rejects.toMatchObject({ code: 'overloaded' })
      await expect(second).rejects.toMatchObject({ code: 'overloaded' })
      waiting[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')
      await expect(first).rejects.toMatchObject({ code: 'body_too_large' })
      expect(server.connections()).toBe(1)
    })

    it('stops when it is told to, before and after the head', async () => {
      await using silent = await rawServer(() => undefined)
      await using begun = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
      await using client = open(engine)
      const before = new AbortController()
      const asked = client.request(get(silent.origin, { signal: before.signal }))
      await eventually(() => silent.connections() === 1)
      before.abort()
      await expect(asked).rejects.toMatchObject({ code: 'aborted' })
      const after = new AbortController()
      const reply = await client.request(get(begun.origin, { signal: after.signal }))
      after.abort()
      await expect(reply.bytes(100)).rejects.toMatchObject({ code: 'aborted' })
    })
  })
}

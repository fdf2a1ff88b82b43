import { describe, expect, it } from 'vitest'
import type { HttpResponse } from '../message.ts'
import { rawClient, rawExchange, statusesOf } from '../raw-client.ts'
import { eventually, type HttpEngine, start } from './engine.ts'

const host = 'Host: a.example\r\n'
const get = `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** An endless source that says how far it was read and whether it was let go. */
function endless() {
  const state = { given: 0, ended: false }
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        state.given += 1
        yield Buffer.alloc(65_536)
      }
    } finally {
      state.ended = true
    }
  }
  return { state, source }
}

export function repliesConformance(engine: HttpEngine): void {
  describe('replies', () => {
    it.each<[string, string, HttpResponse]>([
      ['HEAD', 'HEAD', { status: 200, headers: [], body: 'secret' }],
      ['HEAD with a stream', 'HEAD', { status: 200, headers: [], body: chunks('secret') }],
      ['204', 'GET', { status: 204, headers: [], body: 'secret' }],
      ['304', 'GET', { status: 304, headers: [], body: chunks('secret') }],
    ])('carry no body: %s', async (_name, method, response) => {
      await using server = await start(engine, () => response)
      const got = await rawExchange(server.port, `${method} / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
      expect(statusesOf(got)).toEqual([response.status])
      expect(got.endsWith('\r\n\r\n')).toBe(true)
      expect(got).not.toContain('secret')
    })

    it('to HEAD say the length of what GET would bring', async () => {
      await using server = await start(engine, () => ({ status: 200, headers: [], body: 'äöü' }))
      const got = await rawExchange(server.port, `HEAD / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
      expect(got).toMatch(/content-length: 6\r\n/i)
    })

    it('have a date, and the lengths that are theirs whatever the handler says', async () => {
      const headers = [
        ['Content-Length', '99'],
        ['Transfer-Encoding', 'gzip'],
        ['X-A', '1'],
        ['X-A', '2'],
      ] as const
      await using server = await start(engine, () => ({ status: 200, headers, body: 'abc' }))
      const got = await rawExchange(server.port, get)
      expect(got).toMatch(/^date: /im)
      expect(got).toMatch(/content-length: 3\r\n/i)
      expect(got).not.toMatch(/transfer-encoding/i)
      expect(got.match(/^x-a: \d/gim)).toHaveLength(2)
    })

    it('stream in chunks', async () => {
      await using server = await start(engine, () => ({ status: 200, headers: [], body: chunks('ab', '', 'cde') }))
      const got = await rawExchange(server.port, get)
      expect(got).toMatch(/transfer-encoding: chunked/i)
      expect(got).toContain('2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n')
    })

    it('to HTTP/1.0 stream until the connection closes', async () => {
      await using server = await start(engine, () => ({ status: 200, headers: [], body: chunks('ab', 'cde') }))
      const got = await rawExchange(server.port, 'GET / HTTP/1.0\r\n\r\n')
      expect(got).not.toMatch(/chunked/i)
      expect(got.endsWith('\r\n\r\nabcde')).toBe(true)
    })

    it('wait for a client that does not read, and let the source go when it leaves', async () => {
      const { state, source } = endless()
      await using server = await start(engine, () => ({ status: 200, headers: [], body: source() }))
      const client = rawClient(server.port)
      client.socket.pause()
      client.send(get)
      await eventually(() => state.given > 0)
      let before = -1
      await eventually(() => {
        const still = before === state.given
        before = state.given
        return still
      })
      expect(state.given).toBeLessThan(1_000)
      client.end()
      await eventually(() => state.ended)
      expect(state.ended).toBe(true)
    })

    it('let a source go that waits for ever when the client leaves', async () => {
      let ended = false
      const waiting: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => undefined),
          return: () => {
            ended = true
            return Promise.resolve({ done: true, value: undefined })
          },
        }),
      }
      await using server = await start(engine, () => ({ status: 200, headers: [], body: waiting }))
      const client = rawClient(server.port)
      client.send(get)
      await client.until('\r\n\r\n')
      client.end()
      await eventually(() => ended)
      expect(ended).toBe(true)
    })

    it('cut the connection when the source breaks in the middle', async () => {
      let breakNow: (() => void) | undefined
      const broken = new Promise<void>((resolve) => {
        breakNow = resolve
      })
      async function* breaks(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('begun')
        await broken
        throw new Error('broken')
      }
      await using server = await start(engine, () => ({ status: 200, headers: [], body: breaks() }))
      const client = rawClient(server.port)
      client.send(get)
      await client.until('begun')
      breakNow?.()
      expect(await client.closed()).not.toContain('0\r\n\r\n')
      expect(server.errors).toHaveLength(1)
    })

    it('say nothing of what a handler threw', async () => {
      await using server = await start(engine, () => {
        throw new Error('password=hunter2')
      })
      const got = await rawExchange(server.port, get)
      expect(statusesOf(got)).toEqual([500])
      expect(got).toContain('application/problem+json')
      expect(got).not.toContain('hunter2')
      expect(server.errors).toHaveLength(1)
    })

    it.each<[string, HttpResponse]>([
      ['CR LF in a value', { status: 200, headers: [['X-A', 'b\r\nSet-Cookie: c=d']] }],
      ['LF in a value', { status: 200, headers: [['X-A', 'b\nSet-Cookie: c=d']] }],
      ['a name that is none', { status: 200, headers: [['X A', 'b']] }],
      ['an impossible status', { status: 1_000, headers: [] }],
    ])('of a handler with %s become 500', async (_name, response) => {
      await using server = await start(engine, () => response)
      const got = await rawExchange(server.port, get)
      expect(statusesOf(got)).toEqual([500])
      expect(got).not.toContain('c=d')
    })

    it.each<[string, Partial<HttpResponse>]>([
      ['a header that is none', { headers: [['X-A', 'b\r\nX-C: d']] }],
      ['a status that is none', { status: 999 }],
    ])('with %s are 500, and let go of the source of their body', async (_what, odd) => {
      let stopped = 0
      const body = {
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: true as const, value: undefined }),
          return: async () => {
            stopped += 1
            return { done: true as const, value: undefined }
          },
        }),
      }
      await using server = await start(engine, () => ({ status: 200, headers: [], body, ...odd }))
      expect(statusesOf(await rawExchange(server.port, get))).toEqual([500])
      expect(stopped).toBe(1)
    })

    it('to a large upload that nobody reads arrive, and close', async () => {
      await using server = await start(engine, () => ({ status: 401, headers: [], body: 'no;' }))
      const got = await rawExchange(
        server.port,
        `POST / HTTP/1.1\r\n${host}Content-Length: 200000\r\n\r\n${'a'.repeat(200_000)}`,
      )
      expect(statusesOf(got)).toEqual([401])
      expect(got).toMatch(/connection: close/i)
    })

    it('to a small body that nobody read leave the connection good', async () => {
      await using server = await start(engine, () => ({ status: 401, headers: [] }))
      const post = `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`
      expect(statusesOf(await rawExchange(server.port, post + get))).toEqual([401, 401])
    })
  })

  describe('draining', () => {
    it('accepts nothing more, finishes what runs and says close', async () => {
      let open: (() => void) | undefined
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      let running = false
      await using server = await start(engine, async () => {
        running = true
        await gate
        return { status: 200, headers: [], body: 'done;' }
      })
      const busy = rawClient(server.port)
      busy.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      await eventually(() => running)
      const drained = server.server.drain(5_000)
      const late = rawClient(server.port)
      await late.closed()
      open?.()
      expect(await busy.closed()).toMatch(/connection: close[^]*done;/i)
      await drained
    })

    it('closes idle connections', async () => {
      await using server = await start(engine)
      const idle = rawClient(server.port)
      idle.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      await idle.until('GET / ;')
      await server.server.drain(5_000)
      expect(statusesOf(await idle.closed())).toEqual([200])
    })

    it('answers what has arrived on a quiet connection, also when the process was paused meanwhile', async () => {
      await using server = await start(engine)
      const quiet = rawClient(server.port)
      quiet.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      await quiet.until('GET / ;')
      const drained = server.server.drain(5_000)
      quiet.send(`GET /late HTTP/1.1\r\n${host}\r\n`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
      expect(await quiet.closed()).toMatch(/connection: close[^]*GET \/late ;/i)
      await drained
    })

    it('cuts what does not finish in time', async () => {
      let aborted = false
      await using server = await start(engine, async (request) => {
        request.signal.addEventListener('abort', () => {
          aborted = true
        })
        return await new Promise(() => undefined)
      })
      const stuck = rawClient(server.port)
      stuck.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      await new Promise((resolve) => setImmediate(resolve))
      await server.server.drain(100)
      expect(statusesOf(await stuck.closed())).toEqual([])
      await eventually(() => aborted || stuck.received() === '')
    })
  })

  it('a busy port is an error with a code that names the address', async () => {
    await using server = await start(engine)
    await expect(
      start(engine).then(() =>
        engine.serve({ host: '127.0.0.1', port: server.port, handler: () => ({ status: 200, headers: [] }) }),
      ),
    ).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining(`127.0.0.1:${server.port}`),
    })
  })
}

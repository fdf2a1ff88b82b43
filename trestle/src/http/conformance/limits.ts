import { describe, expect, it } from 'vitest'
import { rawClient, rawExchange, statusesOf } from '../raw-client.ts'
import { type HttpEngine, start } from './engine.ts'

const host = 'Host: a.example\r\n'

const lineOf = (length: number) =>
  `GET /${'a'.repeat(length - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`
const withBytes = (length: number) => `GET / HTTP/1.1\r\n${host}A: ${'a'.repeat(length)}\r\nConnection: close\r\n\r\n`
const withFields = (count: number) =>
  `GET / HTTP/1.1\r\n${host}Connection: close\r\n${'A: b\r\n'.repeat(count - 2)}\r\n`

export function limitsConformance(engine: HttpEngine): void {
  describe('limits', () => {
    it('the request line: 414', async () => {
      await using server = await start(engine, undefined, { requestLineMaxBytes: 100 })
      expect(statusesOf(await rawExchange(server.port, lineOf(100)))).toEqual([200])
      expect(statusesOf(await rawExchange(server.port, lineOf(101)))).toEqual([414])
      expect(statusesOf(await rawExchange(server.port, lineOf(60_000)))).toEqual([414])
    })

    it('the header block: 431', async () => {
      await using server = await start(engine, undefined, { headersMaxBytes: 1_000 })
      expect(statusesOf(await rawExchange(server.port, withBytes(900)))).toEqual([200])
      expect(statusesOf(await rawExchange(server.port, withBytes(1_000)))).toEqual([431])
      expect(statusesOf(await rawExchange(server.port, withBytes(60_000)))).toEqual([431])
    })

    it('the number of fields: 431', async () => {
      await using server = await start(engine)
      expect(statusesOf(await rawExchange(server.port, withFields(100)))).toEqual([200])
      expect(statusesOf(await rawExchange(server.port, withFields(101)))).toEqual([431])
    })

    it('the body, by length and in chunks: 413, without waiting for the rest', async () => {
      await using server = await start(engine, async (request) => ({
        status: 200,
        headers: [],
        body: await request.body.bytes(10),
      }))
      const long = `POST / HTTP/1.1\r\n${host}Content-Length: 11\r\n\r\n`
      const chunks = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nb\r\n${'a'.repeat(11)}\r\n`
      expect(statusesOf(await rawExchange(server.port, long))).toEqual([413])
      expect(statusesOf(await rawExchange(server.port, chunks))).toEqual([413])
    })

    it('the time for the head: 408', async () => {
      await using server = await start(engine, undefined, { headersTimeoutMs: 100 })
      expect(statusesOf(await rawExchange(server.port, 'GET / HTTP/1.1\r\nHo'))).toEqual([408])
    })

    it('the time between two pieces of the body: 408', async () => {
      await using server = await start(engine, undefined, { bodyIdleTimeoutMs: 50 })
      const got = await rawExchange(server.port, `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nab`)
      expect(statusesOf(got)).toEqual([408])
    })

    it('the time for which a client reads nothing: the connection is cut', async () => {
      const big = Buffer.alloc(32_000_000)
      await using server = await start(engine, () => ({ status: 200, headers: [], body: big }), {
        bodyIdleTimeoutMs: 50,
      })
      const client = rawClient(server.port)
      client.socket.pause()
      const cut = new Promise((resolve) => client.socket.once('close', resolve))
      client.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      // Nothing is read until the server has had its time and more.
      await new Promise((resolve) => setTimeout(resolve, 300))
      client.socket.resume()
      await cut
      expect(client.received().length).toBeLessThan(big.length)
    })

    it('the time that a connection may be idle', async () => {
      await using server = await start(engine, undefined, { keepAliveTimeoutMs: 50 })
      expect(statusesOf(await rawExchange(server.port, `GET / HTTP/1.1\r\n${host}\r\n`))).toEqual([200])
    })

    it('connections: 503 beyond, and again room when one leaves', async () => {
      await using server = await start(engine, undefined, { connectionsMax: 1 })
      const first = rawClient(server.port)
      first.send(`GET / HTTP/1.1\r\n${host}\r\n`)
      await first.until('GET / ;')
      const refused = await rawExchange(server.port, '')
      expect(statusesOf(refused)).toEqual([503])
      expect(refused).toMatch(/retry-after: \d/i)
      first.end()
      await expect
        .poll(async () =>
          statusesOf(await rawExchange(server.port, `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)),
        )
        .toEqual([200])
    })

    it('requests on one connection: the last one says close', async () => {
      await using server = await start(engine, undefined, { requestsPerConnectionMax: 2 })
      const got = await rawExchange(server.port, `GET / HTTP/1.1\r\n${host}\r\n`.repeat(3))
      expect(statusesOf(got)).toEqual([200, 200])
      expect(got.match(/connection: close/gi)).toHaveLength(1)
    })
  })
}

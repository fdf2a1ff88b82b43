import { describe, expect, it } from 'vitest'
import { rawClient, rawExchange, statusesOf } from '../raw-client.ts'
import { eventually, type HttpEngine, start } from './engine.ts'

const host = 'Host: a.example\r\n'

/** What a server must understand, and in which order it answers. */
export function requestsConformance(engine: HttpEngine): void {
  describe('understands', () => {
    it('origin form, absolute form and *', async () => {
      await using server = await start(engine)
      const got = await rawExchange(
        server.port,
        `GET /a?b=c HTTP/1.1\r\n${host}\r\nGET http://A.example:80/d HTTP/1.1\r\n${host}\r\n` +
          `OPTIONS * HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      )
      expect(got).toContain('GET /a?b=c ;')
      expect(got).toContain('GET http://A.example:80/d ;')
      expect(got).toContain('OPTIONS * ;')
    })

    it('a body by length and in chunks, with extensions and trailers, split anywhere', async () => {
      await using server = await start(engine)
      const message =
        `POST /1 HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello` +
        `POST /2 HTTP/1.1\r\n${host}Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n` +
        `GET /3 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`
      const whole = bodiesOf(await rawExchange(server.port, message))
      expect(whole).toEqual(['POST /1 hello;', 'POST /2 hello;', 'GET /3 ;'])
      for (let at = 1; at < message.length; at += 1) {
        const client = rawClient(server.port)
        client.socket.setNoDelay(true)
        client.send(message.slice(0, at))
        await new Promise((resolve) => setImmediate(resolve))
        client.send(message.slice(at))
        expect(bodiesOf(await client.closed())).toEqual(whole)
      }
    })

    it('fields that repeat, one by one and joined', async () => {
      await using server = await start(engine, ({ headers }) => ({
        status: 200,
        headers: [],
        body: JSON.stringify([
          headers.get('X-A'),
          headers.getAll('x-a'),
          headers.has('x-b'),
          [...headers.entries()].length,
        ]),
      }))
      const got = await rawExchange(
        server.port,
        `GET / HTTP/1.1\r\n${host}x-a: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n`,
      )
      expect(got).toContain('["1, 2",["1","2"],false,4]')
    })
  })

  describe('pipelined requests', () => {
    it('are answered in their order, one at a time', async () => {
      let running = 0
      let most = 0
      await using server = await start(engine, async (request) => {
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        return { status: 200, headers: [], body: `${request.target};` }
      })
      const targets = Array.from({ length: 100 }, (_, n) => `/${n}`)
      const message = targets.map((target) => `GET ${target} HTTP/1.1\r\n${host}\r\n`).join('')
      const got = await rawExchange(server.port, `${message}GET /last HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
      expect(bodiesOf(got)).toEqual([...targets, '/last'].map((target) => `${target};`))
      expect(most).toBe(1)
    })

    it('that come without end while none is answered do not pile up', async () => {
      let seen = 0
      let open: (() => void) | undefined
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      await using server = await start(engine, async () => {
        seen += 1
        await gate
        return { status: 200, headers: [] }
      })
      const client = rawClient(server.port)
      client.send(`GET / HTTP/1.1\r\n${host}\r\n`.repeat(20_000))
      await eventually(() => seen === 1)
      open?.()
      const got = await client.closed()
      expect(statusesOf(got).length).toBeGreaterThan(0)
      expect(statusesOf(got).length).toBeLessThan(1_000)
    })
  })

  describe('Expect: 100-continue', () => {
    const head = `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`

    it('is answered when the handler wants the body', async () => {
      await using server = await start(engine)
      const client = rawClient(server.port)
      client.send(head)
      await client.until('HTTP/1.1 100 ')
      client.send('ok')
      expect(await client.until('POST / ok;')).toContain('HTTP/1.1 200 ')
      client.end()
    })

    it('is not answered when the handler does not; the connection closes', async () => {
      await using server = await start(engine, () => ({ status: 403, headers: [] }))
      expect(statusesOf(await rawExchange(server.port, head))).toEqual([403])
    })

    it('other expectations are 417', async () => {
      await using server = await start(engine)
      const got = await rawExchange(server.port, `GET / HTTP/1.1\r\n${host}Expect: wonders\r\n\r\n`)
      expect(statusesOf(got)).toEqual([417])
    })
  })
}

/** Bodies of the replies: each ends with a semicolon. */
function bodiesOf(received: string): readonly string[] {
  return [...received.matchAll(/\r\n\r\n([^;]*;)/g)].map((match) => match[1] as string)
}

import { describe, expect, it } from 'vitest'
import { rawClient, rawExchange, statusesOf } from '../raw-client.ts'
import { eventually, type HttpEngine, start } from './engine.ts'

const host = 'Host: a.example\r\n'
const rounds = 200
const message = `POST /x HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`
const get = `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`

/** Status of one more request. */
async function stillServes(port: number): Promise<readonly number[]> {
  return statusesOf(await rawExchange(port, get))
}

/** Nothing that a client sends, in any order, ends the process, or leaves something behind in it. */
export function hostileConformance(engine: HttpEngine): void {
  describe('the same process serves on after', () => {
    it('resets at every point of a request', async () => {
      await using server = await start(engine)
      for (let round = 0; round < rounds; round += 1) {
        const client = rawClient(server.port)
        client.send(message.slice(0, round % (message.length + 1)))
        await new Promise((resolve) => client.socket.once('connect', resolve))
        await new Promise((resolve) => setImmediate(resolve))
        client.socket.resetAndDestroy()
      }
      expect(await stillServes(server.port)).toEqual([200])
    })

    it('clients that leave in the middle of a reply', async () => {
      let running = 0
      const piece = Buffer.alloc(16_384)
      await using server = await start(engine, (request) => {
        if (request.target !== '/big') return { status: 200, headers: [] }
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- a new source for each reply
        async function* body() {
          running += 1
          try {
            for (let n = 0; n < 1_000; n += 1) yield piece
          } finally {
            running -= 1
          }
        }
        return { status: 200, headers: [], body: body() }
      })
      for (let round = 0; round < rounds; round += 1) {
        const client = rawClient(server.port)
        client.send(`GET /big HTTP/1.1\r\n${host}\r\n`)
        await client.until('HTTP/1.1 200')
        if (round % 2 === 0) client.end()
        else client.socket.resetAndDestroy()
      }
      await eventually(() => running === 0)
      expect(await stillServes(server.port)).toEqual([200])
    })

    it('a reply that breaks off because its client left: its place among the connections is free again', async () => {
      await using server = await start(
        engine,
        (request) => {
          // oxlint-disable-next-line unicorn/consistent-function-scoping -- a new source for each reply
          async function* body() {
            yield Buffer.from('part')
            await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
            throw new Error('nobody is there')
          }
          return { status: 200, headers: [], body: request.target === '/' ? 'ok' : body() }
        },
        { connectionsMax: 1 },
      )
      const client = rawClient(server.port)
      client.send(`GET /part HTTP/1.1\r\n${host}\r\n`)
      await client.until('part')
      client.end()
      let statuses: readonly number[] = []
      for (let asked = 0; statuses[0] !== 200 && asked < 200; asked += 1) {
        statuses = await stillServes(server.port)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      expect(statuses).toEqual([200])
    })

    it('clients that leave while the handler works: each is told by its signal', async () => {
      let started = 0
      let told = 0
      await using server = await start(engine, async (request) => {
        if (request.target === '/') return { status: 200, headers: [] }
        started += 1
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
        told += 1
        return { status: 200, headers: [] }
      })
      for (let round = 1; round <= rounds; round += 1) {
        const client = rawClient(server.port)
        client.send(`GET /wait HTTP/1.1\r\n${host}\r\n`)
        await eventually(() => started === round)
        if (round % 2 === 0) client.end()
        else client.socket.end()
      }
      await eventually(() => told === rounds)
      expect(await stillServes(server.port)).toEqual([200])
    })

    it('clients that leave in the middle of their body: the reader is told', async () => {
      const codes: unknown[] = []
      await using server = await start(engine, async (request) => {
        await request.body.bytes(1_000).catch((error: { code: unknown }) => codes.push(error.code))
        return { status: 200, headers: [] }
      })
      for (let round = 0; round < rounds / 4; round += 1) {
        const client = rawClient(server.port)
        client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`)
        await new Promise((resolve) => client.socket.once('connect', resolve))
        await new Promise((resolve) => setTimeout(resolve, 1))
        client.socket.resetAndDestroy()
      }
      expect(await stillServes(server.port)).toEqual([200])
      await eventually(() => codes.every((code) => code === 'aborted'))
    })

    it('noise', async () => {
      await using server = await start(engine)
      let seed = 1
      const random = () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
        return seed / 2_147_483_648
      }
      for (let round = 0; round < rounds; round += 1) {
        const bytes = Array.from({ length: 60 }, () => String.fromCharCode(Math.floor(random() * 256))).join('')
        const at = Math.floor(random() * message.length)
        const client = rawClient(server.port)
        client.send(round % 2 === 0 ? bytes : message.slice(0, at) + bytes + message.slice(at))
        await new Promise((resolve) => client.socket.once('connect', resolve))
        await new Promise((resolve) => setImmediate(resolve))
        client.socket.end()
        client.end()
      }
      expect(await stillServes(server.port)).toEqual([200])
    })
  })

  it('a body streams in with back-pressure', async () => {
    let open: (() => void) | undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const length = 50_000_000
    await using server = await start(engine, async (request) => {
      let got = 0
      for await (const chunk of request.body.stream()) {
        got += chunk.length
        await gate
      }
      return { status: 200, headers: [], body: `${got};` }
    })
    const client = rawClient(server.port)
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${length}\r\nConnection: close\r\n\r\n`)
    client.socket.write(Buffer.alloc(length))
    let before = -1
    let same = 0
    await eventually(() => {
      same = before === client.socket.writableLength ? same + 1 : 0
      before = client.socket.writableLength
      return same > 20
    })
    expect(client.socket.writableLength).toBeGreaterThan(0)
    open?.()
    expect(await client.closed()).toContain(`${length};`)
  })
}

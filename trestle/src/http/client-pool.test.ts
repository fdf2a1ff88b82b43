import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpClient } from './client.ts'
import type { HttpClient } from './message.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Answers everything at once, and counts its connections. */
async function quickServer() {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => undefined)
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, connections: () => connections, stop: () => server.close() }
}

function client(): HttpClient {
  const made = createHttpClient()
  closing.unshift(() => made.close())
  return made
}

const burst = 500
const ask = (from: HttpClient, origin: string) =>
  Array.from({ length: burst }, async () => {
    const reply = await from.request({ method: 'GET', origin, target: '/', headers: [] })
    return Buffer.from(await reply.bytes(10)).toString()
  })

describe('a burst of requests', () => {
  it('shares the connections that are done, instead of making one for each', async () => {
    const server = await quickServer()
    const replies = await Promise.all(ask(client(), server.origin))
    expect(new Set(replies)).toEqual(new Set(['ok']))
    expect(server.connections()).toBeLessThan(burst)
  })

  it('to a server that is not there fails at once, for all', async () => {
    const server = await quickServer()
    server.stop()
    const outcomes = await Promise.allSettled(ask(client(), server.origin))
    const codes = outcomes.map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered',
    )
    expect(new Set(codes)).toEqual(new Set(['connect_failed']))
  })
})

import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpClient } from './client.ts'
import type { HttpClient } from './message.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server that writes what it is told when a head has come; the client has one connection to it. */
async function one(reply: (target: string, socket: Socket) => void): Promise<{ client: HttpClient; origin: string }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).setEncoding('latin1'))
    socket.on('data', (text: string) => {
      for (const [, target = ''] of text.matchAll(/^[A-Z]+ (\S+) HTTP/gm)) reply(target, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createHttpClient({ connectionsMax: 1 })
  closing.push(async () => {
    await client.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { client, origin: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
}

const framed = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describe('a connection', () => {
  it('gives nobody what came behind the reply to somebody else, also when the next one waits already', async () => {
    const { client, origin } = await one((target, socket) => {
      socket.write(target === '/first' ? framed('ok') + framed('forged') : framed(`for ${target}`))
    })
    const ask = async (target: string) => {
      const reply = await client.request({ method: 'GET', origin, target, headers: [] })
      return Buffer.from(await reply.bytes(1_000)).toString()
    }
    const replies = await Promise.all([ask('/first'), ask('/second'), ask('/third')])
    expect(replies).toEqual(['ok', 'for /second', 'for /third'])
  })

  it('is read on for the next request, though whoever had it before left a reply that had come whole', async () => {
    // More than is held without a reader, in its last piece.
    const large = framed('x'.repeat(100_000))
    const { client, origin } = await one((target, socket) => {
      socket.write(target === '/large' ? large : framed('ok'))
    })
    const ask = (target: string) => client.request({ method: 'GET', origin, target, headers: [], timeoutMs: 2_000 })
    const unread = await ask('/large')
    expect((await ask('/small')).status).toBe(200)
    await unread.discard()
    expect((await ask('/small')).status).toBe(200)
  })
})

import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { anyone } from '../../contract/index.ts'
import { rawClient, statusesOf } from '../../http/raw-client.ts'
import { upstream } from '../upstream/upstream.ts'
import { eventually, type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'
import { type RawReply, rawReply } from './recording-upstream.ts'

const times = 1_000
const atOnce = 50
const ask = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Does something 1,000 times, 50 at a time; then the same gateway must serve, and hold nothing any more. */
async function survives(at: ProxiedGateway, once: (at: number) => Promise<void>): Promise<void> {
  for (let done = 0; done < times; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, i) => once(done + i)))
  }
  at.server.reply = () => rawReply('still here', 'Connection: close\r\n')
  expect(await at.get('/pub/last')).toContain('still here')
  await eventually(() => at.server.sockets.size === 0)
  expect(at.bench.errors).toEqual([])
}

/** Begins a reply, with a length or in chunks, and resets. */
const begin: RawReply = ({ socket, number }) => {
  const head = number % 2 === 0 ? 'Content-Length: 100' : 'Transfer-Encoding: chunked'
  const part = number % 2 === 0 ? 'part' : '4\r\npart\r\n'
  socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${part}`, () => socket.resetAndDestroy())
  return undefined
}

describe('a gateway before an upstream goes on', () => {
  it('case 13: after 1,000 odd targets', async () => {
    await using at = await proxiedGateway({ reply: () => rawReply('ok', 'Connection: close\r\n') })
    const odd = [
      '/%',
      '/\\',
      'x',
      '*',
      '/%00',
      '?',
      'http://',
      '//',
      '/a|b{',
      '/pub/%',
      '/pub/\xff',
      '/pub/?\\"<>',
      '\0',
    ]
    await survives(at, async (i) => {
      const client = rawClient(at.bench.port)
      client.send(ask(`${odd[i % odd.length]}${'%2e'.repeat(i % 7)}`))
      expect(await client.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 [2345]/)
      client.socket.resetAndDestroy()
    })
  })

  it('case 13: after 1,000 upstreams that reset in mid body: never a clean end', async () => {
    await using at = await proxiedGateway({ reply: begin })
    await survives(at, async () => {
      const client = rawClient(at.bench.port)
      client.send(ask('/pub/a'))
      const got = await client.closed()
      expect(got).not.toContain('\r\n0\r\n')
      expect(got === '' || statusesOf(got)[0] === 200 || statusesOf(got)[0] === 502).toBe(true)
    })
  })

  it('case 13: after 1,000 clients that leave in mid reply: the upstream is let go', async () => {
    await using at = await proxiedGateway({
      reply: () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`,
    })
    await survives(at, async () => {
      const client = rawClient(at.bench.port)
      client.send(ask('/pub/a'))
      expect(await client.until('part')).toMatch(/^HTTP\/1\.1 200 /)
      client.socket.resetAndDestroy()
      await client.closed()
    })
  })
})

describe('a gateway before an upstream does not wait for ever', () => {
  const limits = { headersTimeoutMs: 100, bodyIdleTimeoutMs: 150 }

  it('case 23: for headers that trickle', async () => {
    await using at = await proxiedGateway({ limits })
    const client = rawClient(at.bench.port)
    client.send('GET /pub/a HTTP/1.1\r\n')
    const trickle = setInterval(() => client.send('A: b\r\n'), 20)
    expect(statusesOf(await client.closed())).toEqual([408])
    clearInterval(trickle)
    expect(at.server.connections).toEqual([])
  })

  it.each([
    ['of a known length', 'Content-Length: 100\r\n\r\npart'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
  ])('case 23: for a body %s that stops; the upstream never gets a whole request', async (_what, body) => {
    await using at = await proxiedGateway({ limits })
    const client = rawClient(at.bench.port)
    client.send(`POST /pub/a HTTP/1.1\r\nHost: a\r\n${body}`)
    expect(statusesOf(await client.closed())).toEqual([408])
    await eventually(() => at.server.sockets.size === 0)
    expect(at.server.requests).toEqual([])
  })

  it('case 23: for a client that reads nothing; the upstream is let go', async () => {
    await using at = await proxiedGateway({
      limits,
      reply: ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n${'a'.repeat(20_000_000)}`)
        return undefined
      },
    })
    const client = rawClient(at.bench.port)
    client.socket.pause()
    client.send(ask('/pub/a'))
    await eventually(() => at.server.requests.length === 1)
    await eventually(() => at.server.sockets.size === 0)
    client.end()
    at.server.reply = () => rawReply('ok')
    expect(await at.status('/pub/a')).toEqual([200])
  })

  it('case 23: for an upstream whose head or body does not come', async () => {
    await using at = await proxiedGateway({
      reply: () => undefined,
      more: (url) => [upstream('/short', [url], { access: anyone(), timeoutMs: 50 })],
    })
    expect(await at.status('/short')).toEqual([504])
    await eventually(() => at.server.sockets.size === 0)
  })

  it('case 24: for the end of an endless body: the bound is counted in bytes as they come', async () => {
    await using at = await proxiedGateway({
      more: (url) => [upstream('/small', [url], { access: anyone(), bodyMaxBytes: 100_000 })],
    })
    const client = rawClient(at.bench.port)
    client.send('POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `2710\r\n${'a'.repeat(10_000)}\r\n`
    const more = () => {
      if (client.socket.writable) client.socket.write(chunk, 'latin1', () => setImmediate(more))
    }
    more()
    expect(statusesOf(await client.closed())).toEqual([413])
    await eventually(() => at.server.sockets.size === 0)
    expect(at.server.requests).toEqual([])
    expect(at.server.connections.join('').length).toBeLessThan(200_000)
  })

  it('case 24: what is compressed stays so, in both directions: nothing is ever blown up here', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000)).toString('latin1')
    await using at = await proxiedGateway({ reply: () => rawReply(bomb, 'Content-Encoding: gzip\r\n') })
    const client = rawClient(at.bench.port)
    const before = process.memoryUsage().arrayBuffers
    client.send(
      `POST /pub/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n${bomb}`,
    )
    const got = await client.closed()
    expect(at.server.requests[0]?.endsWith(`\r\n\r\n${bomb}`)).toBe(true)
    expect(got.endsWith(`\r\n\r\n${bomb}`)).toBe(true)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000)
  })
})
